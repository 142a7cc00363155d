package org.tornadodit.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.annotations.Benchmark;

/** A benchmark that fails would be found out by whoever needs its time. */
class HostBenchmarksTest {
    @Test
    void everyBenchmarkRunsAndIsKnownToJmh() throws ReflectiveOperationException, IOException {
        Set<Method> all = Arrays.stream(HostBenchmarks.class.getMethods())
                .filter(method -> method.isAnnotationPresent(Benchmark.class))
                .collect(Collectors.toSet());
        assertEquals(6, all.size());
        HostBenchmarks benchmarks = new HostBenchmarks();
        benchmarks.prepare();
        try {
            for (Method one : all) {
                assertNotNull(one.invoke(benchmarks), one.getName());
            }
        } finally {
            benchmarks.release();
        }
        try (InputStream list = HostBenchmarks.class.getResourceAsStream("/META-INF/BenchmarkList")) {
            assertNotNull(list, "JMH's annotation processor has not run");
            String known = new String(list.readAllBytes(), StandardCharsets.UTF_8);
            for (Method one : all) {
                assertTrue(known.contains(one.getName()), one.getName());
            }
        }
    }
}
