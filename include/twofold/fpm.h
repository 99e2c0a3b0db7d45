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

PetscErrorCode FPMRegister(const char type[], PetscErrorCode (*create)(FPM));
/* Names of all registered types; free the array (not the names) with PetscFree(). Not collective. */
PetscErrorCode FPMGetRegistered(PetscInt *n, const char ***types);

#if defined(__cplusplus)
}
#endif
#endif
