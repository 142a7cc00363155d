package org.tornadodit.scheduler.graph;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.device.DeviceLink;
import org.tornadodit.scheduler.device.DeviceUnavailableException;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.plan.Link;
import org.tornadodit.scheduler.plan.Mesh;
import org.tornadodit.scheduler.plan.MeshRequest;

/**
 * How devices divide a run. Some may have other kernels than others, or none; a crew is of devices that come one after the
 * other.
 */
public final class MeshChoice {
    private final DitConfig config;
    private final boolean guided;
    private final int samples;
    private final List<ListedDevice> devices;
    /** Of each device; nothing where none serve it. */
    private final List<Optional<Operations>> kernels;

    private final Operations first;

    /**
     * @param samples of a largest batch
     * @param devices that there are
     * @param kernels of a device; throws a {@link DeviceUnavailableException} where none serve it
     * @throws DeviceUnavailableException when none serve the first
     */
    public MeshChoice(
            DitConfig config,
            boolean guided,
            int samples,
            List<ListedDevice> devices,
            Function<ListedDevice, Operations> kernels) {
        this.config = config;
        this.guided = guided;
        this.samples = samples;
        this.devices = List.copyOf(devices);
        this.first = kernels.apply(devices.getFirst());
        this.kernels = Stream.concat(
                        Stream.of(Optional.of(first)), devices.stream().skip(1).map(device -> {
                            try {
                                return Optional.of(kernels.apply(device));
                            } catch (DeviceUnavailableException none) {
                                return Optional.<Operations>empty(); // who wants this device is told when it is loaded
                            }
                        }))
                .toList();
    }

    /**
     * What is asked for, whether or not the devices can take it; where nothing is, the fastest that they can.
     *
     * @throws IllegalArgumentException when what is asked for is not possible, with the reason
     */
    public Mesh mesh(MeshRequest request) {
        Mesh mesh = fastest(request, Link.PEERS);
        if (request.isExplicit() || mesh.ranks() == 1) {
            return mesh;
        }
        List<DeviceLink> links = links(mesh);
        if (links.stream().allMatch(link -> link.exists() && link.link() == Link.PEERS)) {
            return mesh;
        }
        if (links.stream().allMatch(DeviceLink::exists)) {
            Mesh throughHost = fastest(request, Link.HOST);
            if (links(throughHost).stream().allMatch(DeviceLink::exists)) {
                return throughHost;
            }
        }
        return Mesh.ofSamples(Math.min(devices.size(), samples));
    }

    /** Of each crew of several devices. */
    private List<DeviceLink> links(Mesh mesh) {
        return mesh.ranks() == 1
                ? List.of()
                : IntStream.range(0, mesh.samples())
                        .mapToObj(crew -> DeviceLink.of(ofCrew(devices, mesh, crew)))
                        .toList();
    }

    private static <T> List<T> ofCrew(List<T> all, Mesh mesh, int crew) {
        return all.subList(crew * mesh.ranks(), (crew + 1) * mesh.ranks());
    }

    /** What is asked for, or the fastest where devices are linked like that. */
    private Mesh fastest(MeshRequest request, Link link) {
        return request.choose(config, guided, samples, devices.size(), first.grain(), mesh -> seconds(mesh, link));
    }

    /** A step by the slowest device's kernels; infinite where the devices cannot take it. */
    private double seconds(Mesh mesh, Link link) {
        if (mesh.devices() > devices.size() || !isPossible(mesh)) {
            return Double.POSITIVE_INFINITY;
        }
        Map<String, Operations> kinds = kernels.subList(0, mesh.devices()).stream()
                .flatMap(Optional::stream)
                .collect(Collectors.toMap(Operations::kind, Function.identity(), (one, same) -> one));
        return kinds.values().stream()
                .mapToDouble(operations -> MeshCost.of(config, mesh, samples, guided, operations, link)
                        .seconds())
                .max()
                .orElse(Double.POSITIVE_INFINITY);
    }

    /** Whether there are kernels on each device that take its part, and each crew's exchange what they make. */
    private boolean isPossible(Mesh mesh) {
        boolean together = mesh.meetsInBlocks() || mesh.owners() > 1;
        for (int crew = 0; crew < mesh.samples(); crew++) {
            List<Optional<Operations>> ofCrew = ofCrew(kernels, mesh, crew);
            for (Optional<Operations> own : ofCrew) {
                if (own.isEmpty()
                        || mesh.refusal(config, guided, own.get().grain()).isPresent()
                        || (together
                                && !own.get().exchangesWith(ofCrew.getFirst().orElseThrow()))) {
                    return false;
                }
            }
        }
        return true;
    }
}
