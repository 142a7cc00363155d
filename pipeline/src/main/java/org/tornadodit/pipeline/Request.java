package org.tornadodit.pipeline;

import java.util.Arrays;
import java.util.List;
import org.tornadodit.model.diffusion.FlowChoices;
import org.tornadodit.model.diffusion.Objective;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.model.diffusion.SolverChoices;
import org.tornadodit.model.dit.Guidance;
import org.tornadodit.model.dit.GuidanceInterval;
import org.tornadodit.scheduler.engine.SamplingRequest;

/**
 * What to sample, and how. Immutable: each method returns a request that differs in one thing. The defaults are
 * facebookresearch/DiT's.
 *
 * <p>The labels of a request are one batch of PyTorch's: its pictures are those of {@code torch.manual_seed(seed)} and a batch
 * of these labels. Where they are more than the pipeline's largest batch they are taken as batches of that size, one after the
 * other, from one stream of noise.
 *
 * @param labels class of each picture; see {@link DitPipeline#labels} for names
 * @param steps denoising steps as {@code --num-sampling-steps} takes them: {@code "250"}, {@code "10,15,20"}, {@code "ddim50"}
 *     (DPM-Solver++ and UniPC: a number up to 999); dopri5 takes as many as it needs
 * @param guidance weight of classifier-free guidance; 1 for none, which is half of the work and other noise
 * @param channels latent channels that guidance changes: three as facebookresearch/DiT does, or all as diffusers does
 * @param interval when guidance is on
 * @param sampler how a step goes from x_t to x_{t-1}
 * @param eta DDIM's share of noise, 0 to 1; the others ignore it
 * @param solver choices of DPM-Solver++ and UniPC; the others ignore them
 * @param flow choices of SiT's samplers; the others ignore them
 * @param seed as {@code torch.manual_seed} takes it; a negative one is the 64-bit word with the same bits
 * @param batches how often the labels are sampled, from one stream of noise; an int counts the pictures of all
 * @param previewEvery every so many steps the pictures are decoded as they are so far; 0 for never
 */
public record Request(
        List<Integer> labels,
        String steps,
        double guidance,
        Guidance channels,
        GuidanceInterval interval,
        SamplingMethod sampler,
        double eta,
        SolverChoices solver,
        FlowChoices flow,
        long seed,
        int batches,
        int previewEvery) {

    /** Most labels of a request. */
    private static final int MOST_LABELS = 1 << 20;

    private static final int MOST_BATCHES = 1 << 20;

    /** @throws IllegalArgumentException when something is out of range; what only the model knows is checked when it samples */
    public Request {
        labels = List.copyOf(labels);
        if (labels.isEmpty() || labels.size() > MOST_LABELS) {
            throw new IllegalArgumentException(
                    "%d class labels, expected 1 to %d".formatted(labels.size(), MOST_LABELS));
        }
        if (!(guidance >= 0) || Double.isInfinite(guidance)) {
            throw new IllegalArgumentException("guidance is " + guidance + ", expected a number of at least 0");
        }
        if (!(eta >= 0 && eta <= 1)) {
            throw new IllegalArgumentException("eta is " + eta + ", expected 0 to 1");
        }
        if (batches < 1 || batches > MOST_BATCHES) {
            throw new IllegalArgumentException("batches is %d, expected 1 to %d".formatted(batches, MOST_BATCHES));
        }
        long pictures = (long) labels.size() * batches;
        if (pictures > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("%d class labels in %d batches are %d pictures, expected at most %d"
                    .formatted(labels.size(), batches, pictures, Integer.MAX_VALUE));
        }
        if (previewEvery < 0) {
            throw new IllegalArgumentException("previewEvery is " + previewEvery + ", expected 0 or more steps");
        }
        if (!sampler.ofVelocity()) {
            sampler.of(steps, eta, solver); // refuses what is no number of steps
        }
    }

    /**
     * One picture of each of these classes, sampled as the model's publishers do: for a DiT 250 steps of DDPM, guidance 4 on
     * three channels, seed 0.
     */
    public static Request of(Objective objective, int... labels) {
        return new Request(
                Arrays.stream(labels).boxed().toList(),
                objective.defaultSteps(),
                objective.defaultCfgScale(),
                objective.guidesAllChannels() ? Guidance.ALL : Guidance.FIRST_THREE,
                new GuidanceInterval(0, objective.defaultGuidanceHigh()),
                objective.samplers().getFirst(),
                0,
                SolverChoices.DEFAULT,
                FlowChoices.DEFAULT,
                0,
                1,
                0);
    }

    /**
     * When guidance is on: while the share of the noise, 1 at the start and 0 at the end, is within these bounds.
     *
     * @param low 0 to 1
     * @param high low to 1
     */
    public Request guidanceInterval(double low, double high) {
        return new Request(
                labels,
                steps,
                guidance,
                channels,
                new GuidanceInterval(low, high),
                sampler,
                eta,
                solver,
                flow,
                seed,
                batches,
                previewEvery);
    }

    /** One picture of each of these classes: 250 steps of DDPM, guidance 4 on three channels, seed 0. */
    public static Request of(int... labels) {
        return of(Objective.DIT, labels);
    }

    /** @param steps 1 to 1000 */
    public Request steps(int steps) {
        return steps(String.valueOf(steps));
    }

    /** @param steps a number, sections as in {@code "10,15,20"}, or {@code "ddim50"} for DDIM's spacing */
    public Request steps(String steps) {
        return new Request(
                labels, steps, guidance, channels, interval, sampler, eta, solver, flow, seed, batches, previewEvery);
    }

    /** @param guidance at least 0; 1 for none */
    public Request guidance(double guidance) {
        return new Request(
                labels, steps, guidance, channels, interval, sampler, eta, solver, flow, seed, batches, previewEvery);
    }

    /** @param channels that guidance changes */
    public Request channels(Guidance channels) {
        return new Request(
                labels, steps, guidance, channels, interval, sampler, eta, solver, flow, seed, batches, previewEvery);
    }

    /** @param sampler DDPM, DDIM, DPM-Solver++ (also for the SDE) or UniPC; the latter need 20 to 30 steps */
    public Request sampler(SamplingMethod sampler) {
        return new Request(
                labels, steps, guidance, channels, interval, sampler, eta, solver, flow, seed, batches, previewEvery);
    }

    /** @param eta 0 for the deterministic DDIM, to 1 */
    public Request eta(double eta) {
        return new Request(
                labels, steps, guidance, channels, interval, sampler, eta, solver, flow, seed, batches, previewEvery);
    }

    /** @param solver what DPM-Solver++ and UniPC do, under diffusers' names */
    public Request solver(SolverChoices solver) {
        return new Request(
                labels, steps, guidance, channels, interval, sampler, eta, solver, flow, seed, batches, previewEvery);
    }

    /** @param flow what SiT's samplers do, under the names of its program: dopri5's tolerances, how an SDE ends */
    public Request flow(FlowChoices flow) {
        return new Request(
                labels, steps, guidance, channels, interval, sampler, eta, solver, flow, seed, batches, previewEvery);
    }

    /** @param seed of the noise */
    public Request seed(long seed) {
        return new Request(
                labels, steps, guidance, channels, interval, sampler, eta, solver, flow, seed, batches, previewEvery);
    }

    /** @param batches how often all labels are sampled; as many pictures in all as an int counts */
    public Request batches(int batches) {
        return new Request(
                labels, steps, guidance, channels, interval, sampler, eta, solver, flow, seed, batches, previewEvery);
    }

    /** @param every so many steps, {@link Progress#previews} has pictures; 0 for never */
    public Request previewEvery(int every) {
        return new Request(
                labels, steps, guidance, channels, interval, sampler, eta, solver, flow, seed, batches, every);
    }

    /** Pictures in all. */
    public int pictures() {
        return labels.size() * batches;
    }

    /** Some of the labels as the engine takes them. */
    SamplingRequest batch(List<Integer> some, Objective objective) {
        return new SamplingRequest(
                some, objective.sampler(sampler, steps, eta, solver, flow), guidance, channels, interval);
    }
}
