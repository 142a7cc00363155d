package org.tornadodit.runner;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;

/** The arrows of docs/architecture.md: runner to serve to pipeline to scheduler to kernels to TornadoVM's API; the model knows nothing of TornadoVM. */
@AnalyzeClasses(
        packages = "org.tornadodit",
        importOptions = {DoNotIncludeTests.class, ArchitectureTest.NoTestJars.class})
class ArchitectureTest {
    /** Tests of other modules come as a jar, which the rule for folders does not know. */
    static final class NoTestJars implements ImportOption {
        @Override
        public boolean includes(Location location) {
            return !location.contains("-tests.jar");
        }
    }

    private static final String MODEL = "org.tornadodit.model..";
    private static final String KERNELS = "org.tornadodit.kernels..";
    private static final String SCHEDULER = "org.tornadodit.scheduler..";
    private static final String PIPELINE = "org.tornadodit.pipeline..";
    private static final String SERVE = "org.tornadodit.serve..";
    private static final String RUNNER = "org.tornadodit.runner..";
    private static final String HOST = "org.tornadodit.host..";
    private static final String PTX = "org.tornadodit.ptx..";
    private static final String TORNADO_API = "uk.ac.manchester.tornado..";

    @ArchTest
    static final ArchRule modelKnowsNothingOfTornado = noClasses()
            .that()
            .resideInAPackage(MODEL)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(TORNADO_API, KERNELS, SCHEDULER, PIPELINE, SERVE, RUNNER);

    @ArchTest
    static final ArchRule kernelsKnowTornadoAlone = noClasses()
            .that()
            .resideInAPackage(KERNELS)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(MODEL, SCHEDULER, PIPELINE, SERVE, RUNNER);

    @ArchTest
    static final ArchRule schedulerDoesNotKnowWhatUsesIt = noClasses()
            .that()
            .resideInAPackage(SCHEDULER)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(PIPELINE, SERVE, RUNNER);

    @ArchTest
    static final ArchRule pipelineDoesNotKnowTheRunner = noClasses()
            .that()
            .resideInAPackage(PIPELINE)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(SERVE, RUNNER, "picocli..", "org.eclipse.jetty..");

    @ArchTest
    static final ArchRule serveDoesNotKnowTheRunner = noClasses()
            .that()
            .resideInAPackage(SERVE)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(RUNNER, SCHEDULER, "picocli..");

    @ArchTest
    static final ArchRule httpIsLeftToServe = noClasses()
            .that()
            .resideOutsideOfPackage("org.tornadodit.serve.http..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.eclipse.jetty..");

    /** Other commands start without a server's classes. */
    @ArchTest
    static final ArchRule theRunnerReachesServeInOnePlace = noClasses()
            .that()
            .resideInAPackage(RUNNER)
            .and()
            .doNotHaveSimpleName("ServedRun")
            .should()
            .dependOnClassesThat()
            .resideInAPackage(SERVE);

    @ArchTest
    static final ArchRule nobodyNeedsThePtxPlugin = noClasses()
            .that()
            .resideInAnyPackage(KERNELS, SCHEDULER, PIPELINE, SERVE, RUNNER)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(PTX, "jdk.graal..", "jdk.vm.ci..");

    @ArchTest
    static final ArchRule tornadoIsLeftToTheScheduler = noClasses()
            .that()
            .resideInAnyPackage(PIPELINE, SERVE, RUNNER)
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(TORNADO_API);

    @ArchTest
    static final ArchRule configurationIsReadAtTheEdge = noClasses()
            .that()
            .resideOutsideOfPackages(PIPELINE, RUNNER, TORNADO_API)
            .and()
            .doNotHaveSimpleName("TornadoProperties")
            .and()
            .resideInAPackage("org.tornadodit..")
            .should()
            .callMethod(System.class, "getProperty", String.class)
            .orShould()
            .callMethod(System.class, "getenv", String.class);

    /** A module's packages are its rooms, on floors. */
    @ArchTest
    static final ArchRule packagesOfAModuleHaveNoCycles = SlicesRuleDefinition.slices()
            .matching("org.tornadodit.(**)")
            .should()
            .beFreeOfCycles();

    /** Measuring and emulating serve whoever develops: what samples pictures does without. */
    @ArchTest
    static final ArchRule nothingThatShipsNeedsBenches = noClasses()
            .that()
            .resideOutsideOfPackages("..bench..", "..benchmarks..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("..bench..", "..benchmarks..");

    @ArchTest
    static final ArchRule onlyTheEmulatedApiKnowsTheEmulator = noClasses()
            .that()
            .resideOutsideOfPackages(HOST, TORNADO_API, "..benchmarks..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage(HOST);

    @ArchTest
    static final ArchRule onlyThePluginCallsTheCudaDriver = noClasses()
            .that()
            .resideOutsideOfPackage(PTX)
            .and()
            .doNotHaveSimpleName("UntouchedMemory") // calls the C library's calloc
            .should()
            .dependOnClassesThat()
            .haveFullyQualifiedName("java.lang.foreign.SymbolLookup");
}
