#ifndef TWOFOLD_BLPSWEEP_H
#define TWOFOLD_BLPSWEEP_H
/**
 * @file
 * Sweeps: a step of a method for the lower level's loss in one pass over w.
 *
 * They are there for losses sum_i phi_i(x_i W) + <W, D W> / 2 of a FeatureMat X whose kernels have them
 * (FEATUREMATGRID), D a diagonal that depends on lambda. With Z = X W of all samples small enough for the
 * cache, a feature's row of W is read, moved along its gradient, written, and at once added to the next Z:
 * where plain steps stream arrays of w's size several times, a sweep does once. What a sweep has written is
 * known to X, so that the next sweep, BLPLossLinearize() and BLPLossGradient() at that vector need no product
 * with it.
 */
#include <twofold/blp.h>
#include <twofold/featuremat.h>

#if defined(__cplusplus)
extern "C" {
#endif

/** One step: with q = a A + b B if `ahead`, else A, y = a A + b B - step g + plus, g at q. */
typedef struct {
  PetscReal a;     /**< factor of A */
  PetscReal b;     /**< factor of B */
  PetscReal step;  /**< factor of the gradient, or of the Hessian's product, with the other sign */
  PetscBool ahead; /**< the gradient is that at a A + b B */
  PetscBool known; /**< X y is to be known afterwards, which costs as much as the gradient does */
  Vec plus;        /**< NULL, or w-shaped and another vector than y; read by steps with the Hessian alone */
} BLPSweep;

/** What a sequence of BLPLossSweepCG() carries from step to step. */
typedef struct {
  PetscReal scale;     /**< s of the matrix s H */
  PetscReal rr;        /**< <r, r> */
  PetscReal beta;      /**< of the step to come; 0 in the first */
  PetscReal rDr;       /**< <r, D r> */
  PetscReal rDp;       /**< <r, D p> */
  PetscReal pDp;       /**< <p, D p> */
  PetscReal curvature; /**< <p, s H p> of the step that was made, or refused */
} BLPSweepCG;

/**
 * Tells whether the problem has sweeps.
 *
 * @notcollective
 *
 * @param[in]     blp     the problem, set up
 * @param[out]    can     whether the functions below may be called
 */
PetscErrorCode BLPCanSweep(BLP blp, PetscBool *can);

/**
 * Tells whether the problem has sweeps and they are the fastest way. They are not where a gradient is one
 * pass over samples that are dense and have few features: a sweep takes two there.
 *
 * @notcollective
 *
 * @param[in]     blp      the problem, set up
 * @param[out]    prefers  whether to call the functions below
 */
PetscErrorCode BLPPrefersSweep(BLP blp, PetscBool *prefers);

/**
 * Gives the feature matrix of a set of samples of a problem whose loss has the form above, also where its
 * kernels have no sweeps.
 *
 * @notcollective
 *
 * @param[in]     blp     the problem, set up
 * @param[in]     set     BLP_TRAIN or BLP_VAL
 * @param[out]    X       the matrix, borrowed; NULL where the problem is another
 */
PetscErrorCode BLPGetFeatureMat(BLP blp, BLPSet set, FeatureMat *X);

/**
 * Makes a step with the gradient of the loss: y = a A + b B - step grad l(q, lambda).
 *
 * Gradient descent: a = 1, no B. Heavy ball: a = 1 + beta, b = -beta. Nesterov's method: the same with
 * `ahead`.
 *
 * @collective
 *
 * @param[in]     blp     the problem
 * @param[in]     lambda  the hyperparameters
 * @param[in]     sweep   factors
 * @param[in]     A       w-shaped
 * @param[in]     B       w-shaped, or NULL
 * @param[in,out] y       w-shaped; may be A or B
 * @param[out]    moved   ||y - A|| and ||A - B||, of A and B before the step; may be NULL
 *
 * @raises PETSC_ERR_SUP the problem has no sweeps
 */
PetscErrorCode BLPLossSweep(BLP blp, Vec lambda, const BLPSweep *sweep, Vec A, Vec B, Vec y,
                            PetscReal moved[2]);

/**
 * Makes a step with the Hessian of the loss: y = a A + b B - step H A + plus, H at BLPLossLinearize()'s
 * point.
 *
 * @collective
 *
 * @param[in]     blp     the problem, linearised
 * @param[in]     sweep   factors; `ahead` is ignored
 * @param[in]     A       w-shaped
 * @param[in]     B       w-shaped, or NULL
 * @param[in,out] y       w-shaped; may be A or B
 * @param[out]    moved   ||y - A|| and ||A - B||, of A and B before the step; may be NULL
 *
 * @raises PETSC_ERR_SUP the problem has no sweeps
 * @raises PETSC_ERR_ARG_WRONGSTATE there is no point of linearisation
 */
PetscErrorCode BLPLossHessianSweep(BLP blp, const BLPSweep *sweep, Vec A, Vec B, Vec y, PetscReal moved[2]);

/**
 * Makes BLPLossHessianSweep()'s step and looks ahead to the next point: with C = d/dlambda grad l at
 * (lambda, x), lambda that of BLPLossLinearize(), g = C^T y; and X x is known afterwards, so that
 * BLPLossLinearize() there costs no product. A reverse step of iterative differentiation in one pass over w.
 *
 * @collective
 *
 * @param[in]     blp     the problem, linearised
 * @param[in]     sweep   factors; `ahead` is ignored, `known` has to be set
 * @param[in]     A       w-shaped
 * @param[in]     B       w-shaped, or NULL
 * @param[in,out] y       w-shaped; may be A or B
 * @param[in]     x       w-shaped: the next point; another vector than y
 * @param[out]    g       of lambda's space
 *
 * @raises PETSC_ERR_SUP the problem has no sweeps
 * @raises PETSC_ERR_ARG_WRONGSTATE there is no point of linearisation
 */
PetscErrorCode BLPLossReverseSweep(BLP blp, const BLPSweep *sweep, Vec A, Vec B, Vec y, Vec x, Vec g);

/**
 * Begins conjugate gradients for s H x = b at BLPLossLinearize()'s point.
 *
 * @collective
 *
 * @param[in]     blp     the problem, linearised
 * @param[in]     s       positive factor of the Hessian
 * @param[in]     r       residual b - s H x at the start
 * @param[out]    p       search direction, set to 0
 * @param[out]    cg      what the steps carry on
 *
 * @raises PETSC_ERR_SUP the problem has no sweeps
 * @raises PETSC_ERR_ARG_WRONGSTATE there is no point of linearisation
 */
PetscErrorCode BLPLossSweepCGBegin(BLP blp, PetscReal s, Vec r, Vec p, BLPSweepCG *cg);
/**
 * Makes one step of conjugate gradients in one sweep.
 *
 * <p, H p> = <X p, B X p> + <p, D p> is known before the sweep: X p by recurrence from X r, the first product
 * by samples, the second by recurrence from the last sweep's sums. One pass then moves p, x and r and
 * computes the new X r; H p is never stored.
 *
 * @collective
 *
 * @param[in]     blp     the problem, linearised where BLPLossSweepCGBegin() was called
 * @param[in,out] x       solution
 * @param[in,out] r       residual
 * @param[in,out] p       search direction
 * @param[in,out] cg      as BLPLossSweepCGBegin() and the steps before have left it; a curvature that is not
 *                        positive afterwards means that no step was made
 */
PetscErrorCode BLPLossSweepCGStep(BLP blp, Vec x, Vec r, Vec p, BLPSweepCG *cg);

#if defined(__cplusplus)
}
#endif
#endif
