package org.tornadodit.model.diffusion;

/**
 * The scalars of one reverse step, as float32: the reference casts its float64 tables when it takes an entry out. Names
 * are those of guided-diffusion's tables.
 *
 * <p>With eps and v the two halves of the model's output, z the noise, every operation rounded to float32:
 *
 * <pre>
 * x0   = sqrtRecipAlphasCumprod * x - sqrtRecipm1AlphasCumprod * eps
 * DDPM:  frac = (v + 1) / 2
 *        logVariance = frac * maxLogVariance + (1 - frac) * minLogVariance
 *        out = (posteriorMeanCoef1 * x0 + posteriorMeanCoef2 * x) + noiseMask * exp(0.5 * logVariance) * z
 * DDIM:  e = (sqrtRecipAlphasCumprod * x - x0) / sqrtRecipm1AlphasCumprod
 *        out = (x0 * sqrtAlphasCumprodPrev + ddimDirection * e) + noiseMask * ddimSigma * z
 * </pre>
 *
 * @param timestep t of the original process, 0 to 999: what the model's timestep embedding takes
 * @param sqrtRecipAlphasCumprod sqrt(1 / abar_t)
 * @param sqrtRecipm1AlphasCumprod sqrt(1 / abar_t - 1)
 * @param posteriorMeanCoef1 beta_t sqrt(abar_{t-1}) / (1 - abar_t)
 * @param posteriorMeanCoef2 (1 - abar_{t-1}) sqrt(alpha_t) / (1 - abar_t)
 * @param minLogVariance ln of the posterior variance; the first step's is 0 and takes the second's instead
 * @param maxLogVariance ln beta_t
 * @param fixedLogVariance ln of the variance for models that learn none: beta_t, the posterior variance at the first step
 * @param noiseMask 0 at the last step of sampling (index 0), 1 before
 * @param sqrtAlphasCumprodPrev sqrt(abar_{t-1})
 * @param ddimDirection sqrt(1 - abar_{t-1} - ddimSigma^2)
 * @param ddimSigma eta sqrt((1 - abar_{t-1}) / (1 - abar_t)) sqrt(1 - abar_t / abar_{t-1})
 */
public record StepCoefficients(
        int timestep,
        float sqrtRecipAlphasCumprod,
        float sqrtRecipm1AlphasCumprod,
        float posteriorMeanCoef1,
        float posteriorMeanCoef2,
        float minLogVariance,
        float maxLogVariance,
        float fixedLogVariance,
        float noiseMask,
        float sqrtAlphasCumprodPrev,
        float ddimDirection,
        float ddimSigma) {}
