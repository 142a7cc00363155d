package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Classes and packages that documents name exist, and so do the files and headings that they link to. */
class DocumentedNamesTest {
    private static final Path ROOT = CommandLineRun.ROOT;

    private static final Pattern CLASS = Pattern.compile("`([A-Z][a-z]\\w+)(\\.\\w+)?`");
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)#:]*)(#[^)]*)?\\)");
    private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.*)$");
    /** A row of the table of modules: module, or none for that of the row above, and packages. */
    private static final Pattern ROW = Pattern.compile("(?m)^\\| (`[\\w-]+`)? ?\\| (`[\\w.]+`(?:, `[\\w.]+`)*) \\|");

    private static Stream<Path> files(String below) throws IOException {
        return Files.walk(ROOT.resolve(below));
    }

    private static Set<String> classes() throws IOException {
        Set<String> names = new TreeSet<>();
        for (String module : List.of(
                "model",
                "tornado-host",
                "tornado-kernels",
                "tornado-ptx",
                "scheduler",
                "pipeline",
                "serve",
                "runner")) {
            try (Stream<Path> files = files(module + "/src")) {
                names.addAll(files.map(file -> file.getFileName().toString())
                        .filter(name -> name.endsWith(".java"))
                        .map(name -> name.substring(0, name.length() - 5))
                        .collect(Collectors.toSet()));
            }
        }
        return names;
    }

    @Test
    void classesExist() throws IOException {
        Set<String> classes = classes();
        Set<String> missing = new TreeSet<>();
        int seen = 0;
        for (String document : List.of("docs/architecture.md", "docs/tutorial.md")) {
            Matcher names = CLASS.matcher(Files.readString(ROOT.resolve(document)));
            while (names.find()) {
                seen++;
                if (!classes.contains(names.group(1))) {
                    missing.add(document + ": " + names.group(1));
                }
            }
        }
        assertTrue(seen > 50, "only " + seen + " names found");
        assertEquals(Set.of(), missing);
    }

    @Test
    void packagesExist() throws IOException {
        Matcher rows = ROW.matcher(Files.readString(ROOT.resolve("docs/architecture.md")));
        String module = "";
        int seen = 0;
        while (rows.find()) {
            if (rows.group(1) != null) {
                module = rows.group(1).replace("`", "");
            }
            String name = module.replace("tornado-", "");
            for (String each : rows.group(2).replace("`", "").split(", ", -1)) {
                String inModule = each.equals(name) || each.startsWith(name + ".") ? each : name + "." + each;
                Path folder = ROOT.resolve(module)
                        .resolve("src/main/java/org/tornadodit")
                        .resolve(inModule.replace('.', '/'));
                assertTrue(Files.isDirectory(folder), folder.toString());
                seen++;
            }
        }
        assertTrue(seen > 15, "only " + seen + " packages found");
    }

    /** A heading's name in links: small letters, digits and hyphens for blanks. */
    private static Set<String> headings(Path document) throws IOException {
        return HEADING.matcher(Files.readString(document))
                .results()
                .map(heading -> heading.group(1)
                        .toLowerCase(Locale.ROOT)
                        .replaceAll("[^\\w\\- ]", "")
                        .replace(' ', '-'))
                .collect(Collectors.toSet());
    }

    @Test
    void linksLeadSomewhere() throws IOException {
        Set<String> missing = new TreeSet<>();
        int toHeadings = 0;
        Stream<Path> others = Stream.of(
                        "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "reference/README.md", "results/README.md")
                .map(ROOT::resolve);
        try (Stream<Path> documents = Stream.concat(others, files("docs"))) {
            for (Path document :
                    documents.filter(file -> file.toString().endsWith(".md")).toList()) {
                Matcher links = LINK.matcher(Files.readString(document));
                while (links.find()) {
                    String file = links.group(1);
                    Path target = file.isEmpty() ? document : document.resolveSibling(file);
                    String heading = links.group(2);
                    if (!Files.exists(target)
                            || (heading != null && !headings(target).contains(heading.substring(1)))) {
                        missing.add(document + ": " + links.group());
                    }
                    toHeadings += heading == null ? 0 : 1;
                }
            }
        }
        assertTrue(toHeadings > 5, "only " + toHeadings + " links to headings found");
        assertEquals(Set.of(), missing);
    }
}
