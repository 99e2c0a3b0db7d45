#ifndef TWOFOLD_BOUND_H
#define TWOFOLD_BOUND_H
/* bound: the constants that step sizes, rates and error bounds are made of, as plain functions. What is
   computed holds at the point (lambda, w) it was computed at; what a problem proves holds everywhere.
   References: Polyak, USSR Comput. Math. Math. Phys. 4 (1964); Nesterov, Introductory Lectures on Convex
   Optimization (2004); Lessard, Recht, Packard, SIAM J. Optim. 26 (2016). */
#include <twofold/fpm.h>

#if defined(__cplusplus)
extern "C" {
#endif

/**
 * Settings by which constants are computed: errors of 1e-6 relative to the operator's norm, 500 products,
 * no options.
 *
 * @notcollective
 *
 * @param[out]    how     the settings
 */
PetscErrorCode BoundSetDefaults(TwofoldSpectral *how);
/**
 * Takes the settings from options, and has SLEPc's EPS and SVD read theirs, so that all are known before a
 * run.
 *
 * @collective
 *
 * @param[in]     comm    communicator of the solves to come
 * @param[in]     prefix  of the options, kept in the settings: a string that outlives them
 * @param[in,out] how     defaults on entry
 *
 * @raises{PETSC_ERR_ARG_OUTOFRANGE, a tolerance that is not in (0\\, 1)\\, or no products}
 * @option{-PREFIXtol T}
 * @option{-PREFIXmax_products N}
 * @option{-PREFIXseed S}
 * @option{-PREFIXeps_...\\, -PREFIXsvd_...}
 */
PetscErrorCode BoundSetFromOptions(MPI_Comm comm, const char prefix[], TwofoldSpectral *how);

/**
 * Extreme eigenvalues of the lower level's Hessian at a point, by SLEPc's Krylov-Schur method.
 *
 * Both are Ritz values, so L is found from below and mu from above. The error is the recomputed residual
 * norm, within which there is an eigenvalue, or mu's distance to the problem's own bound from below, where
 * that is less. Both errors are measured by tol * L: where mu is 1e-7 L, its relative accuracy would cost
 * thousands of products and serve nothing. A value that did not get there within the products allowed is
 * reported as it is: see BoundIsAccurate(). Fixes the loss's point: whoever has fixed another must do so
 * again.
 *
 * @collective
 *
 * @param[in]     blp     the problem; its lower level must be a loss
 * @param[in]     lambda  the point, in lambda's space
 * @param[in]     w       the point, in w's space; must outlive the use of the loss's derivatives
 * @param[in]     how     settings, or NULL for the defaults
 * @param[out]    L       largest eigenvalue
 * @param[out]    mu      smallest eigenvalue
 *
 * @equation{H = grad^2_ww l(w\\, lambda)}
 */
PetscErrorCode BoundHessian(BLP blp, Vec lambda, Vec w, const TwofoldSpectral *how, TwofoldConstant *L,
                            TwofoldConstant *mu);
/**
 * Whether a computed constant reached the settings' tolerance.
 *
 * @notcollective
 *
 * @param[in]     c         the constant
 * @param[in]     scale     what its residual is measured by (L for L and mu, its value for a norm)
 * @param[in]     how       settings, or NULL for the defaults
 * @param[out]    accurate  error <= tol * scale; always false for an unknown constant
 */
PetscErrorCode BoundIsAccurate(const TwofoldConstant *c, PetscReal scale, const TwofoldSpectral *how,
                               PetscBool *accurate);

/**
 * ||d1Phi|| at a point, the Lipschitz constant of the map there, by SLEPc's SVD.
 *
 * @collective
 *
 * @param[in]     fpm     the map
 * @param[in]     lambda  the point
 * @param[in]     x       the point, a state of this map
 * @param[in]     how     settings, or NULL for the defaults
 * @param[out]    norm    the norm, from below; error is the residual norm; products with d1Phi and d1Phi^T
 */
PetscErrorCode BoundMapNorm(FPM fpm, Vec lambda, State x, const TwofoldSpectral *how, TwofoldConstant *norm);
/**
 * ||d2Phi|| at a point, likewise; 0 at w = 0 where regularisation weights are learnt.
 *
 * @collective
 *
 * @param[in]     fpm     the map
 * @param[in]     lambda  the point
 * @param[in]     x       the point
 * @param[in]     how     settings, or NULL for the defaults
 * @param[out]    norm    the norm
 */
PetscErrorCode BoundParameterNorm(FPM fpm, Vec lambda, State x, const TwofoldSpectral *how,
                                  TwofoldConstant *norm);
/**
 * Spectral radius of d1Phi by a non-Hermitian eigenvalue solve, to check BoundSpectralRadius() on small
 * cases.
 *
 * At the optimal constants of heavy ball d1Phi is defective and its radius accurate to about 1e-6 only; the
 * residual norm is no bound of the error.
 *
 * @collective
 *
 * @param[in]     fpm     the map
 * @param[in]     lambda  the point
 * @param[in]     x       the point
 * @param[in]     how     settings, or NULL for the defaults
 * @param[out]    radius  the radius
 */
PetscErrorCode BoundMapRadius(FPM fpm, Vec lambda, State x, const TwofoldSpectral *how,
                              TwofoldConstant *radius);

/**
 * Largest modulus of the roots that an eigenvalue h of the Hessian gives d1Phi.
 *
 * @notcollective
 *
 * @param[in]     method  the map's method
 * @param[in]     alpha   step size
 * @param[in]     beta    momentum
 * @param[in]     h       eigenvalue of the Hessian
 * @param[out]    modulus the modulus; NaN for FPM_METHOD_OTHER
 *
 * @equation{gd: z = 1 - alpha h; heavy ball: z^2 - (1 + beta - alpha h) z + beta = 0; Nesterov: z^2 - (1 +
 * beta)(1 - alpha h) z + beta (1 - alpha h) = 0}
 */
PetscErrorCode BoundRootModulus(FPMMethod method, PetscReal alpha, PetscReal beta, PetscReal h,
                                PetscReal *modulus);
/**
 * Spectral radius of d1Phi over all Hessians with eigenvalues in [mu, L]: for gd it is q = max(|1 - alpha
 * mu|, |1 - alpha L|), the contraction constant itself.
 *
 * The modulus of BoundRootModulus() falls to its least and then rises again as h grows, also through the
 * interval where roots are complex, so that the largest is at an end.
 *
 * @notcollective
 *
 * @param[in]     method  the map's method
 * @param[in]     alpha   step size
 * @param[in]     beta    momentum
 * @param[in]     mu      smallest eigenvalue
 * @param[in]     L       largest eigenvalue
 * @param[out]    radius  the radius; proved where both constants are, unknown where one is; error: by how
 * much it grows over [mu - error, L + error]
 */
PetscErrorCode BoundSpectralRadius(FPMMethod method, PetscReal alpha, PetscReal beta,
                                   const TwofoldConstant *mu, const TwofoldConstant *L,
                                   TwofoldConstant *radius);
/**
 * Condition number of the lower level, infinite where mu is 0.
 *
 * @notcollective
 *
 * @param[in]     mu      smallest eigenvalue
 * @param[in]     L       largest eigenvalue
 * @param[out]    kappa   L / mu, with standing and error as for BoundSpectralRadius()
 */
PetscErrorCode BoundConditionNumber(const TwofoldConstant *mu, const TwofoldConstant *L,
                                    TwofoldConstant *kappa);

/**
 * Computes L and mu for a map that waits for them (`-fpm_step optimal -fpm_constants computed`) and hands
 * them over; nothing happens to any other map.
 *
 * @collective
 *
 * @param[in]     fpm     the map
 * @param[in]     lambda  the point
 * @param[in]     w       the point
 * @param[in]     how     settings, or NULL for the defaults
 *
 * @raises{PETSC_ERR_NOT_CONVERGED, the products allowed did not suffice}
 */
PetscErrorCode BoundProvideConstants(FPM fpm, Vec lambda, Vec w, const TwofoldSpectral *how);

#if defined(__cplusplus)
}
#endif
#endif
