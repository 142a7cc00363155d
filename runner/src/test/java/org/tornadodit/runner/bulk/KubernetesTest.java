package org.tornadodit.runner.bulk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobSpec;
import io.fabric8.kubernetes.api.model.batch.v1.PodFailurePolicyRule;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.model.TinyModelFiles;
import org.tornadodit.runner.CommandLineRun;
import org.tornadodit.runner.terminal.ExitCode;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** The recipes in cluster/kubernetes, in a client library's model of Kubernetes. No cluster is needed. */
class KubernetesTest {
    private static final Path RECIPES = CommandLineRun.ROOT.resolve("cluster/kubernetes");

    private static final ObjectMapper YAML = YAMLMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path folder;

    /** Reads a recipe, and refuses what the model does not know: it keeps such as additional properties. */
    private static Job read(String name) throws IOException {
        return parse(Files.readString(RECIPES.resolve(name)));
    }

    private static Job parse(String text) {
        Job job = YAML.readValue(text, Job.class);
        List<String> unknown = new ArrayList<>();
        collectUnknown(job, "job", unknown);
        assertEquals(List.of(), unknown);
        return job;
    }

    private static void collectUnknown(Object value, String place, List<String> unknown) {
        if (value instanceof Collection<?> all) {
            all.forEach(each -> collectUnknown(each, place, unknown));
        } else if (value.getClass().getName().startsWith("io.fabric8.")) {
            for (Method getter : value.getClass().getMethods()) {
                if (!getter.getName().startsWith("get") || getter.getParameterCount() > 0) {
                    continue;
                }
                Object part;
                try {
                    part = getter.invoke(value);
                } catch (ReflectiveOperationException e) {
                    throw new AssertionError(getter.toString(), e);
                }
                if (getter.getName().equals("getAdditionalProperties")) {
                    ((Map<?, ?>) part).keySet().forEach(key -> unknown.add(place + "." + key));
                } else if (part != null) {
                    collectUnknown(part, place + "." + getter.getName().substring(3), unknown);
                }
            }
        }
    }

    private static Container container(Job job) {
        List<Container> all = job.getSpec().getTemplate().getSpec().getContainers();
        assertEquals(1, all.size());
        return all.getFirst();
    }

    @Test
    void theJobIsIndexedAndLeavesPermanentErrorsAlone() throws IOException {
        Job job = read("bulk.yaml");
        JobSpec spec = job.getSpec();
        assertEquals("batch/v1", job.getApiVersion());
        assertEquals("Indexed", spec.getCompletionMode());
        assertTrue(spec.getBackoffLimitPerIndex() > 0);
        assertNull(spec.getBackoffLimit()); // of all indexes together, it would end the Job before theirs are used up
        assertTrue(spec.getMaxFailedIndexes() <= spec.getCompletions());
        assertEquals("Never", spec.getTemplate().getSpec().getRestartPolicy()); // else there may be no failure policy
        for (Job each : List.of(job, read("collect.yaml"))) {
            PodFailurePolicyRule permanent =
                    each.getSpec().getPodFailurePolicy().getRules().getFirst();
            assertEquals("FailJob", permanent.getAction());
            assertEquals("In", permanent.getOnExitCodes().getOperator());
            assertEquals(List.of(ExitCode.PERMANENT), permanent.getOnExitCodes().getValues());
            assertEquals(container(each).getName(), permanent.getOnExitCodes().getContainerName());
        }
        Map<String, String> environment =
                container(job).getEnv().stream().collect(Collectors.toMap(EnvVar::getName, EnvVar::getValue));
        assertEquals(String.valueOf(spec.getCompletions()), environment.get("JOB_COMPLETIONS"));
        Shard last = Shard.of(
                null,
                Map.of(
                        "JOB_COMPLETION_INDEX",
                        String.valueOf(spec.getCompletions() - 1),
                        "JOB_COMPLETIONS",
                        environment.getOrDefault("JOB_COMPLETIONS", "")));
        assertEquals(spec.getCompletions(), last.count());
    }

    /** The containers' words, with a tiny model in the place of the weights. */
    @Test
    void theWordsAreThoseOfTheProgram() throws IOException {
        TinyModelFiles model = TinyModelFiles.write(Files.createDirectory(folder.resolve("model")));
        List<Object> words = new ArrayList<>();
        for (String word : container(read("bulk.yaml")).getArgs()) {
            if (word.startsWith("--ckpt=")) {
                words.addAll(List.of("--ckpt", model.checkpoint(), "--model", model.config(), "--dry-run"));
            } else if (word.startsWith("--vae=")) {
                words.addAll(List.of("--vae", model.vae()));
            } else if (!word.startsWith("--image-size=")) {
                words.add(word.replace("--device=tornado", "--device=cpu").replace("/work/", folder + "/"));
            }
        }
        CommandLineRun made = CommandLineRun.of(words.toArray());
        assertEquals(ExitCode.DONE, made.exitCode(), made.err());
        assertTrue(made.out().contains("pictures 50000 of 50000"), made.out());
        assertEquals("bulk", container(read("collect.yaml")).getArgs().getFirst());
        assertTrue(container(read("collect.yaml")).getArgs().contains("--collect=/work/fid"));
        assertTrue(container(read("bulk.yaml")).getArgs().contains("--output=/work/fid"));
    }

    @Test
    void aWordThatKubernetesDoesNotKnowIsSeen() throws IOException {
        String text = Files.readString(RECIPES.resolve("bulk.yaml"));
        for (String word : List.of("backoffLimitPerIndex:", "operator:", "image:", "claimName:")) {
            assertThrows(AssertionError.class, () -> parse(text.replace(word, word.replace(":", "x:"))), word);
        }
    }
}
