package org.tornadodit.scheduler.graph;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.tornadodit.kernels.Exchange;
import org.tornadodit.kernels.Exchange.Box;
import org.tornadodit.kernels.Exchange.Box.Place;
import org.tornadodit.kernels.Exchange.Groups;
import org.tornadodit.kernels.GroupNorm;
import org.tornadodit.kernels.HostExchange;
import org.tornadodit.kernels.Launch;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.scheduler.device.ArraySource;
import org.tornadodit.scheduler.device.TornadoDevices;
import org.tornadodit.scheduler.graph.Bands.Band;
import org.tornadodit.scheduler.plan.Link;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** What devices exchange that decode a picture together, see {@link Bands}: GroupNorm's statistics, as tasks; nothing where one decodes it. */
final class BandExchanges {
    /** Enough for a few thousand floats. */
    private static final Groups GROUPS = new Groups(4, 256);

    private final VaeBuffers buffers;
    private final KernelContext context = new KernelContext();
    /** Which landing comes next: nothing may be stored into one that is still read, so that two are taken in turn. */
    private int turn;

    /**
     * What ties a device to others, see {@link Exchange}.
     *
     * @param links of each size, from the host each pass
     * @param state where all have their signals
     * @param landings of parts' statistics, taken in turn, each one a site
     * @param throughHost whether the host's memory lies between, see {@link HostExchange}
     */
    record Ties(List<IntArray> links, IntArray state, List<FloatArray> landings, boolean throughHost) {
        static @Nullable Ties of(Bands bands, VaeConfig config, ArraySource arrays, Link between) {
            if (!bands.isDivided()) {
                return null;
            }
            long sums = (long) GroupNorm.parts(Integer.MAX_VALUE) * config.normNumGroups() * 2;
            return new Ties(
                    bands.bands().stream()
                            .map(_ -> arrays.ints(between == Link.HOST ? HostExchange.LINK : Exchange.LINK))
                            .toList(),
                    arrays.ints(Exchange.STATE),
                    List.of(arrays.deviceFloats(sums), arrays.deviceFloats(sums)),
                    between == Link.HOST);
        }

        /** Fills the links but for the addresses. */
        void describe(Bands bands, int groups) {
            for (int i = 0; i < links.size(); i++) {
                Band band = bands.bands().get(i);
                int run = band.ownParts() * groups * 2;
                Box box = new Box(
                        1, 1, run, new Place(0, run, 0, 0), new Place(band.partsBefore() * groups * 2, run, 0, 0));
                for (int site = 0; site < landings.size() && !band.isWhole(); site++) {
                    Exchange.describe(links.get(i), site, bands.rank(), box);
                }
            }
        }

        /** Fills the links with the addresses of another device, or the own. */
        void connect(int rank, IntArray other) {
            for (IntArray link : links) {
                for (int site = 0; site < landings.size(); site++) {
                    Exchange.connect(link, site, rank, other);
                }
                link.set(Exchange.ACTIVE, 1);
            }
        }

        /** Likewise, where the host's memory lies between the devices. */
        void connectThroughHost(int rank, Ties other, HostLanding landing) {
            for (int i = 0; i < links.size(); i++) {
                for (int site = 0; site < landings.size(); site++) {
                    HostExchange.connect(
                            links.get(i), site, rank, other.links.get(i), landing.sites()[site], landing.flags());
                }
            }
        }
    }

    BandExchanges(VaeBuffers buffers) {
        this.buffers = buffers;
    }

    /** What is sent before each pass. */
    Object[] links() {
        Ties ties = buffers.ties;
        return ties == null ? new Object[0] : ties.links().toArray();
    }

    /** What lives from pass to pass. */
    Object[] state() {
        Ties ties = buffers.ties;
        return ties == null
                ? new Object[0]
                : Stream.concat(Stream.of(ties.state()), ties.landings().stream())
                        .toArray();
    }

    /** Before the first pass. */
    void begin(GraphScope g, PortableOperations portable) {
        Ties ties = buffers.ties;
        if (ties != null) {
            portable.fill(g, "exchanges", ties.state(), Exchange.STATE, 0);
            for (int i = 0; i < ties.landings().size(); i++) {
                FloatArray landing = ties.landings().get(i);
                String task = "landing" + i;
                g.task(
                        task,
                        Work.moving(Float.BYTES, "clear", 1),
                        () -> Launch.elementwise(1),
                        graph -> graph.task(task, GroupNorm::clear, context, landing));
            }
        }
    }

    /** Arrays that are handed on, and what exchanges need with them. */
    Object[] with(Object... arrays) {
        return Stream.of(arrays, links(), state()).flatMap(Arrays::stream).toArray();
    }

    /** The statistics of all parts of a map, once those of the own ones are in {@link VaeBuffers#sums}. */
    FloatArray sums(GraphScope g, String task, Band band, int groups) {
        Ties ties = buffers.ties;
        if (ties == null || band.isWhole()) {
            return buffers.sums;
        }
        int ranks = buffers.bands.ranks();
        int site = turn;
        turn = 1 - turn;
        FloatArray landing = ties.landings().get(site);
        IntArray link = ties.links().get(buffers.bands.bands().indexOf(band));
        int elements = band.ownParts() * groups * 2;
        Groups launch = TornadoDevices.sdkIsPresent() ? GROUPS : Groups.VIRTUAL;
        // An exchange asks a batch for its passes where a run of the decoder has its images.
        g.task(
                task + "_parts",
                Work.moving(2.0 * Float.BYTES * ranks * elements, Exchanges.OPERATION, ranks, 1, elements),
                () -> Exchange.grid(ranks, launch),
                graph -> graph.task(
                        task + "_parts",
                        ties.throughHost() ? HostExchange::exchange : Exchange::exchange,
                        context,
                        buffers.run(),
                        buffers.sums,
                        landing,
                        link,
                        ties.state(),
                        site,
                        launch.groups()));
        return landing;
    }
}
