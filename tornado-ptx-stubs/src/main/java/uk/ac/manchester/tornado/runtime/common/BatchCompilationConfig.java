package uk.ac.manchester.tornado.runtime.common;

/** Parts into which TornadoVM divides a task's arrays; all are 0 for a task that is not divided. */
public class BatchCompilationConfig {
    public BatchCompilationConfig(long batchThreads, int batchNumber, long batchSize) {
        throw new UnsupportedOperationException("stub");
    }
}
