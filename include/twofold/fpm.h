#ifndef TWOFOLD_FPM_H
#define TWOFOLD_FPM_H
/**
 * @file
 * FPM: a fixed-point map Phi(x, lambda) on a State x, with the products of its derivatives d1Phi (in x) and
 * d2Phi (in lambda). The step size is a constant for differentiation, unless FPMSetDifferentiateStep().
 *
 * Order of calls: FPMCreate(), FPMSetBLP(), FPMSetFromOptions(), FPMPrepare() at each lambda, then FPMStep(),
 * or FPMLinearize() and products. LLSGetFPM() gives the map of a lower level, HGGetAdjointFPM() that of an
 * adjoint.
 */
#include <twofold/blpconstants.h>
#include <twofold/state.h>

#if defined(__cplusplus)
extern "C" {
#endif

/** A fixed-point map; a PETSc object, freed by FPMDestroy(). */
typedef struct _p_FPM *FPM;
/** Name of a type of map. */
typedef const char *FPMType;
#define FPMGD        "gd"        /**< Phi(w) = w - alpha grad l(w); paper, section 1 */
#define FPMHEAVYBALL "heavyball" /**< Phi(w, w') = (w - alpha grad l(w) + beta (w - w'), w) */
#define FPMNESTEROV  "nesterov"  /**< Phi(w, w') = (y - alpha grad l(y), w), y = w + beta (w - w') */
#define FPMPROBLEM   "problem"   /**< the problem's own map, BLPMapApply(); no step size */

/** The method a map is made by, as far as formulas of its rate and its best constants go. */
typedef enum {
  FPM_METHOD_OTHER,     /**< none of those below: no formula */
  FPM_METHOD_GD,        /**< gradient descent */
  FPM_METHOD_HEAVYBALL, /**< Polyak's heavy ball */
  FPM_METHOD_NESTEROV   /**< Nesterov's method with constant momentum */
} FPMMethod;

/** Where the constants L and mu of `-fpm_step optimal` come from. */
typedef enum {
  FPM_CONSTANTS_FORMULA, /**< the problem's formulas, at each lambda anew */
  FPM_CONSTANTS_COMPUTED /**< FPMSetConstants(), once; HG computes them at the first point and hands them on
                          */
} FPMConstants;
/** Names of the sources: "formula", "computed". */
extern const char *const FPMConstantsSources[];

/**
 * Makes a map, with step size 1 and no momentum.
 *
 * @collective
 *
 * @param[in]     comm  communicator
 * @param[out]    fpm   the map, the caller's: FPMDestroy()
 */
PetscErrorCode FPMCreate(MPI_Comm comm, FPM *fpm);

/**
 * Drops a reference to a map, and frees it with the last one.
 *
 * @collective
 *
 * @param[in,out] fpm  the map, NULL on return; NULL: nothing happens
 */
PetscErrorCode FPMDestroy(FPM *fpm);

/**
 * Sets what the names of the map's options begin with: `lls_` for that of a lower level, `hg_` for that of an
 * adjoint, both behind their owner's prefix.
 *
 * @logicallycollective
 *
 * @param[in]     fpm     the map
 * @param[in]     prefix  without the hyphen; copied
 */
PetscErrorCode FPMSetOptionsPrefix(FPM fpm, const char prefix[]);

/**
 * Sets the problem whose lower level the map is made from. Another problem makes an optimal step be chosen
 * anew, and computed constants be handed over anew.
 *
 * @collective
 *
 * @param[in]     fpm  the map
 * @param[in]     blp  the problem; the map holds a reference to it
 */
PetscErrorCode FPMSetBLP(FPM fpm, BLP blp);

/**
 * Sets the type. Default: `gd`, or `problem` where the lower level is a map.
 *
 * @logicallycollective
 *
 * @param[in]     fpm   the map
 * @param[in]     type  `gd`, `heavyball`, `nesterov`, `problem`, or one of FPMRegister()
 *
 * @raises PETSC_ERR_ARG_UNKNOWN_TYPE there is no such type; the message names the closest
 * @option{-fpm_type T} (behind the owner's prefix: `-lls_fpm_type`, `-hg_fpm_type`)
 */
PetscErrorCode FPMSetType(FPM fpm, FPMType type);

/**
 * Gives the type.
 *
 * @notcollective
 *
 * @param[in]     fpm   the map
 * @param[out]    type  its name, borrowed; NULL before it is set
 */
PetscErrorCode FPMGetType(FPM fpm, FPMType *type);

/**
 * Sets the step size to a number, in place of an optimal step.
 *
 * @logicallycollective
 *
 * @param[in]     fpm    the map
 * @param[in]     alpha  step size > 0
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE alpha is not positive and finite
 * @option{-fpm_step A}
 */
PetscErrorCode FPMSetStep(FPM fpm, PetscReal alpha);

/**
 * Sets the momentum of `heavyball` and `nesterov`.
 *
 * @logicallycollective
 *
 * @param[in]     fpm   the map
 * @param[in]     beta  momentum in [0, 1)
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE beta is not in [0, 1)
 * @raises PETSC_ERR_ARG_INCOMP the step is optimal, which chooses the momentum, too
 * @option{-fpm_momentum B}
 */
PetscErrorCode FPMSetMomentum(FPM fpm, PetscReal beta);

/**
 * Takes type, step size and momentum from the options. `problem` has no step size, `gd` no momentum.
 *
 * @collective
 *
 * @param[in]     fpm  the map
 *
 * @raises PETSC_ERR_USER_INPUT -fpm_step is neither a number nor "optimal"
 * @raises PETSC_ERR_ARG_UNKNOWN_TYPE as FPMSetType()
 * @raises PETSC_ERR_ARG_OUTOFRANGE as FPMSetStep() and FPMSetMomentum()
 * @raises PETSC_ERR_ARG_INCOMP as FPMSetMomentum()
 */
PetscErrorCode FPMSetFromOptions(FPM fpm);

/**
 * Sets the problem up, where it is not, and makes the map's work vectors. FPMStep(), FPMLinearize(),
 * FPMPrepare() and FPMCreateState() call it.
 *
 * @collective
 *
 * @param[in]     fpm  the map
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE the map has no problem
 * @raises PETSC_ERR_SUP the type needs a loss and the lower level is a map, or the other way round
 */
PetscErrorCode FPMSetUp(FPM fpm);

/**
 * Prints type, step size, momentum and whether d1Phi is symmetric.
 *
 * @collective
 *
 * @param[in]     fpm     the map
 * @param[in]     viewer  ASCII viewer, to others nothing is printed; NULL: standard output
 *
 * @option{-fpm_view}
 */
PetscErrorCode FPMView(FPM fpm, PetscViewer viewer);

/**
 * Gives the number of vectors in the map's state: 1 for (w), 2 for (w, w_prev). A state is a history: `v[k]`
 * is w k steps ago.
 *
 * @notcollective
 *
 * @param[in]     fpm  the map, its type set
 * @param[out]    n    number of vectors
 */
PetscErrorCode FPMGetStateSize(FPM fpm, PetscInt *n);

/**
 * Whether d1Phi is symmetric (so that CG and MINRES may solve the adjoint system).
 *
 * @notcollective
 *
 * @param[in]     fpm        the map, its type set
 * @param[out]    symmetric  for `problem`, what the problem says of its own map
 */
PetscErrorCode FPMIsSymmetric(FPM fpm, PetscBool *symmetric);

/**
 * Makes a zero state of the map.
 *
 * @collective
 *
 * @param[in]     fpm  the map
 * @param[out]    x    FPMGetStateSize() vectors of w's layout, the caller's: StateDestroy()
 */
PetscErrorCode FPMCreateState(FPM fpm, State *x);

/**
 * Makes one step in place: x <- Phi(x, lambda).
 *
 * @collective
 *
 * @param[in]     fpm     the map
 * @param[in]     lambda  hyperparameters
 * @param[in,out] x       the state
 * @param[out]    change  `||Phi(x) - x||` in the state's norm; NULL: it is not computed
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE an optimal step has not been chosen yet: FPMPrepare() first
 */
PetscErrorCode FPMStep(FPM fpm, Vec lambda, State x, PetscReal *change);
/**
 * Makes n steps in place, at once where the map can: the same as FPMStep() n times, but for rounding.
 *
 * @collective
 *
 * @param[in]     fpm     the map
 * @param[in]     lambda  hyperparameters
 * @param[in]     n       number of steps
 * @param[in,out] x       the state
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE as FPMStep()
 */
PetscErrorCode FPMSteps(FPM fpm, Vec lambda, PetscInt n, State x);
/**
 * Tells whether FPMAdjointSteps() may be called: those made from the loss can, the problem's own map if it
 * has such steps.
 *
 * @notcollective
 *
 * @param[in]     fpm  the map, set up
 * @param[out]    can  whether it can
 */
PetscErrorCode FPMCanAdjointSteps(FPM fpm, PetscBool *can);
/**
 * Makes n steps of the fixed-point method of the adjoint in place: v <- d1Phi^T v + b, n times.
 *
 * @collective
 *
 * @param[in]     fpm       the map, at the point of FPMLinearize()
 * @param[in]     b         right-hand side, like the map's state
 * @param[in]     n         number of steps
 * @param[in,out] v         the adjoint, likewise; its vectors stay where they are
 * @param[out]    residual  ||b - (I - d1Phi^T) v|| behind the steps where that costs no more than another
 * one, else -1; may be NULL
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE no point is fixed: FPMLinearize() first
 * @raises PETSC_ERR_SUP the map has no such steps: FPMCanAdjointSteps() tells
 */
PetscErrorCode FPMAdjointSteps(FPM fpm, State b, PetscInt n, State v, PetscReal *residual);
/**
 * Tells whether FPMNormalStep() may be called: the map is the problem's own, which has such a step.
 *
 * @notcollective
 *
 * @param[in]     fpm  the map, set up
 * @param[out]    can  whether it can
 */
PetscErrorCode FPMCanNormalStep(FPM fpm, PetscBool *can);
/**
 * Makes a step of conjugate gradients on A^T A v = A^T b, A = I - d1Phi^T at the point of FPMLinearize(), in
 * one pass over the vectors: with step's alpha, beta and last,
 *
 *     v <- v + alpha p,   r <- r - alpha z,   p <- r + beta p,   z <- A^T A p
 *
 * and the sums by which a caller finds the next alpha and beta. r is the residual of the normal equations.
 *
 * @collective
 *
 * @param[in]     fpm  the map
 * @param[in,out] step alpha, beta and last; sums
 * @param[in,out] v    the adjoint, laid out as w; not touched with alpha = 0
 * @param[in,out] r    A^T (b - A v), likewise
 * @param[in,out] p    the direction; not read with alpha = beta = 0
 * @param[in,out] z    A^T A p, but of no meaning after the last step; not read with alpha = 0
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE no point is fixed: FPMLinearize() first
 * @raises PETSC_ERR_SUP the map has no such step: FPMCanNormalStep() tells
 */
PetscErrorCode FPMNormalStep(FPM fpm, BLPNormalStep *step, Vec v, Vec r, Vec p, Vec z);

/**
 * Fixes the point (x, lambda) of the products below.
 *
 * Only references are kept (`nesterov` keeps a copy of its own y, which only its next FPMLinearize()
 * overwrites). Maps made from the same problem's loss share its point: the last one to be fixed holds for all
 * of them.
 *
 * @collective
 *
 * @param[in]     fpm     the map
 * @param[in]     lambda  hyperparameters; neither changed nor freed while products are made
 * @param[in]     x       the state, likewise
 */
PetscErrorCode FPMLinearize(FPM fpm, Vec lambda, State x);

/**
 * Product y = d1Phi v.
 *
 * @collective
 *
 * @param[in]     fpm  the map, at the point of FPMLinearize()
 * @param[in]     v    a state of this map
 * @param[out]    y    another one
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE no point is fixed: FPMLinearize() first
 */
PetscErrorCode FPMJVP(FPM fpm, State v, State y);

/**
 * Product y = d1Phi^T v.
 *
 * @collective
 *
 * @param[in]     fpm  the map, at the point of FPMLinearize()
 * @param[in]     v    a state of this map
 * @param[out]    y    another one
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE no point is fixed: FPMLinearize() first
 */
PetscErrorCode FPMVJP(FPM fpm, State v, State y);

/**
 * Tells whether FPMReverseStep() may be called: the map and its problem can make such a step in one pass over
 * w.
 *
 * @notcollective
 *
 * @param[in]     fpm  the map, set up
 * @param[out]    can  whether it can
 */
PetscErrorCode FPMCanReverse(FPM fpm, PetscBool *can);

/**
 * One step back through the map: v <- d1Phi^T v at the point of linearisation, then x is that point, and
 * g <- g + d2Phi^T v there.
 *
 * The same as FPMVJP(), FPMLinearize() and FPMParameterVJPAdd(), but that v is in a form of the map's own
 * between such steps. Its first vector is the adjoint of w in any form, and (v, 0) is (v, 0).
 *
 * @collective
 *
 * @param[in]     fpm     the map, at the point of FPMLinearize() or of the step before
 * @param[in]     lambda  hyperparameters, those of that point
 * @param[in]     x       the next point
 * @param[in,out] v       adjoint state
 * @param[in,out] g       of lambda's space: the hypergradient's sum so far
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE no point is fixed: FPMLinearize() first
 * @raises PETSC_ERR_SUP the map has no such step: FPMCanReverse() tells
 */
PetscErrorCode FPMReverseStep(FPM fpm, Vec lambda, State x, State v, Vec g);

/**
 * Product y = (I - d1Phi) v, without the cancellation of v - FPMJVP(v) where the type can.
 *
 * @collective
 *
 * @param[in]     fpm  the map, at the point of FPMLinearize()
 * @param[in]     v    a state of this map
 * @param[out]    y    another one
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE no point is fixed: FPMLinearize() first
 */
PetscErrorCode FPMResidualJVP(FPM fpm, State v, State y);

/**
 * Product y = (I - d1Phi^T) v, likewise: the operator of the adjoint system.
 *
 * @collective
 *
 * @param[in]     fpm  the map, at the point of FPMLinearize()
 * @param[in]     v    a state of this map
 * @param[out]    y    another one
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE no point is fixed: FPMLinearize() first
 */
PetscErrorCode FPMResidualVJP(FPM fpm, State v, State y);

/**
 * Product y = d2Phi u.
 *
 * @collective
 *
 * @param[in]     fpm  the map, at the point of FPMLinearize()
 * @param[in]     u    in lambda's space
 * @param[out]    y    a state of this map
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE no point is fixed: FPMLinearize() first
 */
PetscErrorCode FPMParameterJVP(FPM fpm, Vec u, State y);

/**
 * Adds a product: g = g + d2Phi^T v.
 *
 * @collective
 *
 * @param[in]     fpm  the map, at the point of FPMLinearize()
 * @param[in]     v    a state of this map
 * @param[in,out] g    in lambda's space
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE no point is fixed: FPMLinearize() first
 */
PetscErrorCode FPMParameterVJPAdd(FPM fpm, State v, Vec g);

/**
 * Tells whether the map can sum products d2Phi^T v of several points for less than FPMParameterVJPAdd()
 * takes.
 *
 * @notcollective
 *
 * @param[in]     fpm  the map, set up
 * @param[out]    can  whether FPMParameterVJPSum() may be called
 */
PetscErrorCode FPMCanSum(FPM fpm, PetscBool *can);

/**
 * Adds d2Phi^T v to a sum that the problem keeps.
 *
 * @collective
 *
 * @param[in]     fpm  the map, at the point of FPMLinearize()
 * @param[in]     v    a state of this map
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE no point is fixed: FPMLinearize() first
 * @raises PETSC_ERR_SUP the map has no such sum: FPMCanSum() tells
 */
PetscErrorCode FPMParameterVJPSum(FPM fpm, State v);

/**
 * Adds the sum to g, and begins a new one.
 *
 * @collective
 *
 * @param[in]     fpm  the map
 * @param[in,out] g    of lambda's space
 *
 * @raises PETSC_ERR_SUP the map has no such sum: FPMCanSum() tells
 */
PetscErrorCode FPMParameterVJPTakeSum(FPM fpm, Vec g);

/**
 * Differentiates the transposed products in x along a direction: by central differences, at two points
 * x +- h dx whose distance from x is eps^(1/3) times the longer one of x and dx.
 *
 * It fixes these points on the way and (x, lambda) at the end, as FPMLinearize() does: another map made from
 * the same problem's loss must be given its point again.
 *
 * @collective
 *
 * @param[in]     fpm     the map
 * @param[in]     lambda  hyperparameters
 * @param[in]     x       where, a state of this map
 * @param[in]     v       a state of this map
 * @param[in]     dx      direction, another one
 * @param[out]    y       D_x[d1Phi^T v] dx, another one
 * @param[out]    g       D_x[d2Phi^T v] dx, in lambda's space
 */
PetscErrorCode FPMVJPDerivative(FPM fpm, Vec lambda, State x, State v, State dx, State y, Vec g);

/**
 * Gives the step size in use.
 *
 * @notcollective
 *
 * @param[in]     fpm    the map
 * @param[out]    alpha  step size; with the optimal step it is 1 until FPMPrepare()
 */
PetscErrorCode FPMGetStep(FPM fpm, PetscReal *alpha);

/**
 * Gives the momentum in use.
 *
 * @notcollective
 *
 * @param[in]     fpm   the map
 * @param[out]    beta  momentum, 0 where the map has none; with the optimal step not known until FPMPrepare()
 */
PetscErrorCode FPMGetMomentum(FPM fpm, PetscReal *beta);

/**
 * Gives what formulas the map goes by.
 *
 * @notcollective
 *
 * @param[in]     fpm     the map, after FPMSetType()
 * @param[out]    method  the method; FPM_METHOD_OTHER for `problem` and registered types that do not say
 */
PetscErrorCode FPMGetMethod(FPM fpm, FPMMethod *method);

/**
 * Gives the problem.
 *
 * @notcollective
 *
 * @param[in]     fpm  the map
 * @param[out]    blp  the problem, borrowed; NULL where there is none
 */
PetscErrorCode FPMGetBLP(FPM fpm, BLP *blp);

/**
 * Constants that are best for mu I <= H <= L I: gd 2/(L + mu); heavy ball 4/(sqrt L + sqrt mu)^2 and
 * ((sqrt L - sqrt mu)/(sqrt L + sqrt mu))^2; Nesterov 1/L and (sqrt kappa - 1)/(sqrt kappa + 1), the best
 * momentum for that step. With mu = 0 gd's is 1/L, since 2/L leaves the direction of L where it is.
 *
 * @notcollective
 *
 * @param[in]     method  the method
 * @param[in]     mu      smallest eigenvalue of the Hessian, or a bound of it from below
 * @param[in]     L       largest eigenvalue, or a bound of it from above
 * @param[out]    alpha   step size
 * @param[out]    beta    momentum; 0 for gd
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE L is not positive and finite, mu is negative or greater, or mu is 0 and
 * the method needs it
 * @raises PETSC_ERR_SUP there is no formula for the method
 */
PetscErrorCode FPMOptimalConstants(FPMMethod method, PetscReal mu, PetscReal L, PetscReal *alpha,
                                   PetscReal *beta);
/**
 * Lets the map choose its step size and momentum by FPMOptimalConstants(), until FPMSetStep() gives a number.
 * For differentiation they are constants all the same, unless FPMSetDifferentiateStep().
 *
 * @logicallycollective
 *
 * @param[in]     fpm     the map
 * @param[in]     source  where L and mu come from
 *
 * @option{-fpm_step optimal}
 * @option{-fpm_constants formula|computed}
 */
PetscErrorCode FPMSetOptimalStep(FPM fpm, FPMConstants source);
/**
 * Differentiates an optimal step and momentum in lambda: d2Phi then has what Phi owes to them.
 *
 * With formulas mu(lambda) and L(lambda) the map is Phi(w, lambda) = w - alpha(lambda) grad l(w, lambda), and
 * likewise with momentum. Iterative differentiation is then the gradient of f_t as it is computed, its step
 * at each lambda anew. At the fixed point these parts of d2Phi are 0, so that the limit is the same; along
 * the way a linearisation takes one gradient of the loss more, of `nesterov` a Hessian product, too. Of kinks
 * the derivative is the one that BLPGetStrongConvexityGradient() and BLPGetSmoothnessGradient() give. Nothing
 * happens where the step is a number.
 *
 * @logicallycollective
 *
 * @param[in]     fpm            the map
 * @param[in]     differentiate  whether; the default is that the step is a constant
 *
 * @raises PETSC_ERR_SUP by FPMSetUp(): the constants are computed ones; by FPMPrepare(): the problem does not
 * give the gradients of mu and L
 * @option{-fpm_differentiate_step}
 * @equation{d2Phi u = -alpha C u - grad l <grad alpha\, u> + (dPhi/dbeta) <grad beta\, u>}
 */
PetscErrorCode FPMSetDifferentiateStep(FPM fpm, PetscBool differentiate);
/**
 * Gives whether the map's step is differentiated.
 *
 * @notcollective
 *
 * @param[in]     fpm            the map
 * @param[out]    differentiate  whether; false where it is a number
 */
PetscErrorCode FPMGetDifferentiateStep(FPM fpm, PetscBool *differentiate);
/**
 * Whether the map waits for FPMSetConstants().
 *
 * @notcollective
 *
 * @param[in]     fpm    the map
 * @param[out]    needs  its step is optimal by computed constants, and nobody has handed them over
 */
PetscErrorCode FPMNeedsConstants(FPM fpm, PetscBool *needs);
/**
 * Hands the map its L and mu, which it keeps for every lambda.
 *
 * @logicallycollective
 *
 * @param[in]     fpm     the map, with source FPM_CONSTANTS_COMPUTED
 * @param[in]     L       largest eigenvalue of the Hessian
 * @param[in]     mu      smallest eigenvalue; what counts is value - error, and 0 where that is negative
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE the map does not choose its step by computed constants
 */
PetscErrorCode FPMSetConstants(FPM fpm, const TwofoldConstant *L, const TwofoldConstant *mu);
/**
 * Gives L and mu the optimal step was last chosen by, or was handed.
 *
 * @notcollective
 *
 * @param[in]     fpm  the map
 * @param[out]    L    largest eigenvalue; unknown before the choice, and where the step is a number
 * @param[out]    mu   smallest eigenvalue, likewise
 */
PetscErrorCode FPMGetConstants(FPM fpm, TwofoldConstant *L, TwofoldConstant *mu);
/**
 * Chooses the optimal step at lambda, if the map is to: whoever iterates or differentiates at another lambda
 * calls it first (LLSSolve() and HGSolve() do). Nothing happens where the step is a number, or frozen.
 *
 * @collective
 *
 * @param[in]     fpm     the map
 * @param[in]     lambda  the point
 *
 * @raises PETSC_ERR_ARG_WRONG L is unknown, or mu unknown or 0 and the map needs it
 * @raises PETSC_ERR_ARG_WRONGSTATE computed constants have not been handed over
 * @raises PETSC_ERR_SUP there is no optimal step for this type of map, or no gradient of mu or L where the
 * step is differentiated
 */
PetscErrorCode FPMPrepare(FPM fpm, Vec lambda);
/**
 * Holds an optimal step as it is over other lambdas, as finite differences of a function whose step is a
 * constant must; or lets it go again.
 *
 * @logicallycollective
 *
 * @param[in]     fpm     the map
 * @param[in]     freeze  hold, or let go
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE the optimal step has not been chosen yet
 */
PetscErrorCode FPMFreeze(FPM fpm, PetscBool freeze);

/**
 * Adds a type of map.
 *
 * @notcollective
 *
 * @param[in]     type    its name; copied
 * @param[in]     create  fills the table of operations and the data of a map that becomes of this type
 */
PetscErrorCode FPMRegister(const char type[], PetscErrorCode (*create)(FPM));

/**
 * Gives the names of all registered types.
 *
 * @notcollective
 *
 * @param[out]    n      their number
 * @param[out]    types  their names; free the array (not the names) with PetscFree()
 */
PetscErrorCode FPMGetRegistered(PetscInt *n, const char ***types);

#if defined(__cplusplus)
}
#endif
#endif
