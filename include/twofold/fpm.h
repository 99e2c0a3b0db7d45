#ifndef TWOFOLD_FPM_H
#define TWOFOLD_FPM_H
/* FPM: a fixed-point map Phi(x, lambda) on a State x, with the products of its derivatives d1Phi (in x) and
   d2Phi (in lambda). The step size is a constant for differentiation. */
#include <twofold/blp.h>
#include <twofold/state.h>

#if defined(__cplusplus)
extern "C" {
#endif

typedef struct _p_FPM *FPM;
typedef const char *FPMType;
#define FPMGD        "gd"        /* Phi(w) = w - alpha grad l(w); paper, section 1 */
#define FPMHEAVYBALL "heavyball" /* Phi(w, w') = (w - alpha grad l(w) + beta (w - w'), w) */
#define FPMNESTEROV  "nesterov"  /* Phi(w, w') = (y - alpha grad l(y), w), y = w + beta (w - w') */
#define FPMPROBLEM   "problem"   /* the problem's own map, BLPMapApply(); no step size */

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

PetscErrorCode FPMCreate(MPI_Comm comm, FPM *fpm);
PetscErrorCode FPMDestroy(FPM *fpm);
PetscErrorCode FPMSetOptionsPrefix(FPM fpm, const char prefix[]);
PetscErrorCode FPMSetBLP(FPM fpm, BLP blp);
/* Default: gd, or problem where the lower level is a map. Option -fpm_type (behind the owner's prefix:
 * -lls_fpm_type, -hg_fpm_type). Logically collective. */
PetscErrorCode FPMSetType(FPM fpm, FPMType type);
PetscErrorCode FPMGetType(FPM fpm, FPMType *type);
/* alpha > 0: option -fpm_step. Logically collective. */
PetscErrorCode FPMSetStep(FPM fpm, PetscReal alpha);
/* beta in [0, 1): option -fpm_momentum. Logically collective. */
PetscErrorCode FPMSetMomentum(FPM fpm, PetscReal beta);
PetscErrorCode FPMSetFromOptions(FPM fpm);
PetscErrorCode FPMSetUp(FPM fpm);
PetscErrorCode FPMView(FPM fpm, PetscViewer viewer);

/* Number of vectors in the map's state: 1 for (w), 2 for (w, w_prev). A state is a history: v[k] is w k steps
 * ago. */
PetscErrorCode FPMGetStateSize(FPM fpm, PetscInt *n);
/* Whether d1Phi is symmetric (so that CG and MINRES may solve the adjoint system). */
PetscErrorCode FPMIsSymmetric(FPM fpm, PetscBool *symmetric);
/* New zero state. Collective. */
PetscErrorCode FPMCreateState(FPM fpm, State *x);

/* x <- Phi(x, lambda) in place; where change is not NULL it gets ||Phi(x) - x|| in the state's norm.
 * Collective. */
PetscErrorCode FPMStep(FPM fpm, Vec lambda, State x, PetscReal *change);
/* Fixes the point (x, lambda) of the products below; only references are kept (nesterov keeps a copy of its
   own y, which only its next FPMLinearize() overwrites). Maps made from the same problem's loss share its
   point: the last one to be fixed holds for all of them. Collective. */
PetscErrorCode FPMLinearize(FPM fpm, Vec lambda, State x);
/* y = d1Phi v. Collective. */
PetscErrorCode FPMJVP(FPM fpm, State v, State y);
/* y = d1Phi^T v. Collective. */
PetscErrorCode FPMVJP(FPM fpm, State v, State y);
/* y = (I - d1Phi) v, without the cancellation of v - FPMJVP(v) where the type can. Collective. */
PetscErrorCode FPMResidualJVP(FPM fpm, State v, State y);
/* y = (I - d1Phi^T) v, likewise: the operator of the adjoint system. Collective. */
PetscErrorCode FPMResidualVJP(FPM fpm, State v, State y);
/* y = d2Phi u, u in lambda's space. Collective. */
PetscErrorCode FPMParameterJVP(FPM fpm, Vec u, State y);
/* g = g + d2Phi^T v, g in lambda's space. Collective. */
PetscErrorCode FPMParameterVJPAdd(FPM fpm, State v, Vec g);

/** alpha in use; with the optimal step it is 1 until FPMPrepare(). Not collective. */
PetscErrorCode FPMGetStep(FPM fpm, PetscReal *alpha);
/** beta in use, 0 where the map has no momentum; likewise. Not collective. */
PetscErrorCode FPMGetMomentum(FPM fpm, PetscReal *beta);
/** What formulas the map goes by. Not collective; after FPMSetType(). */
PetscErrorCode FPMGetMethod(FPM fpm, FPMMethod *method);
/** The problem, borrowed. Not collective. */
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
 * @raises{PETSC_ERR_ARG_OUTOFRANGE, L is not positive and finite\, mu is greater\, or mu is not positive and
 * the method needs it}
 * @raises{PETSC_ERR_SUP, there is no formula for the method}
 */
PetscErrorCode FPMOptimalConstants(FPMMethod method, PetscReal mu, PetscReal L, PetscReal *alpha,
                                   PetscReal *beta);
/**
 * Lets the map choose its step size and momentum by FPMOptimalConstants(), until FPMSetStep() gives a number.
 * For differentiation they are constants all the same.
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
/** Whether the map waits for FPMSetConstants(). Not collective. */
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
 * @raises{PETSC_ERR_ARG_WRONGSTATE, the map does not choose its step by computed constants}
 */
PetscErrorCode FPMSetConstants(FPM fpm, const TwofoldConstant *L, const TwofoldConstant *mu);
/** L and mu the optimal step was last chosen by, or was handed; unknown before. Not collective. */
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
 * @raises{PETSC_ERR_ARG_WRONG, L is unknown\, or mu unknown or 0 and the map needs it}
 * @raises{PETSC_ERR_ARG_WRONGSTATE, computed constants have not been handed over}
 * @raises{PETSC_ERR_SUP, there is no optimal step for this type of map}
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
 * @raises{PETSC_ERR_ARG_WRONGSTATE, the optimal step has not been chosen yet}
 */
PetscErrorCode FPMFreeze(FPM fpm, PetscBool freeze);

PetscErrorCode FPMRegister(const char type[], PetscErrorCode (*create)(FPM));
/* Names of all registered types; free the array (not the names) with PetscFree(). Not collective. */
PetscErrorCode FPMGetRegistered(PetscInt *n, const char ***types);

#if defined(__cplusplus)
}
#endif
#endif
