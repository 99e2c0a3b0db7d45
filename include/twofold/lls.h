#ifndef TWOFOLD_LLS_H
#define TWOFOLD_LLS_H
/* LLS: the lower-level solver, w_t(lambda) by t steps of a fixed-point map or to a tolerance. */
#include <twofold/fpm.h>

#if defined(__cplusplus)
extern "C" {
#endif

typedef struct _p_LLS *LLS;
typedef const char *LLSType;
#define LLSPICARD "picard" /* x_{i+1} = Phi(x_i, lambda) */

typedef enum {
  LLS_CONVERGED_ITS = 1,  /* the fixed number of steps (rtol = atol = 0) was made */
  LLS_CONVERGED_RTOL = 2, /* ||Phi(x) - x|| <= rtol ||x|| */
  LLS_CONVERGED_ATOL = 3, /* ||Phi(x) - x|| <= atol */
  LLS_ITERATING = 0,
  LLS_DIVERGED_ITS = -1,      /* max_it steps made, tolerance not reached */
  LLS_DIVERGED_NANORINF = -2, /* the iterate is not finite */
  LLS_DIVERGED_DTOL = -3,     /* ||Phi(x) - x|| grew by more than dtol */
  LLS_STOPPED = -4            /* the stop hook asked for it */
} LLSConvergedReason;
extern const char *const *LLSConvergedReasons;

/* Called before step i with the state the step starts from. */
typedef PetscErrorCode (*LLSRecordFn)(void *ctx, PetscInt i, State x);
/* Called after each step; every rank must set *stop alike. */
typedef PetscErrorCode (*LLSStopFn)(void *ctx, PetscInt i, PetscBool *stop);
/* Called with the number of steps made and ||Phi(x) - x|| of the last. */
typedef PetscErrorCode (*LLSMonitorFn)(LLS lls, PetscInt i, PetscReal change, void *ctx);

PetscErrorCode LLSCreate(MPI_Comm comm, LLS *lls);
PetscErrorCode LLSDestroy(LLS *lls);
PetscErrorCode LLSSetOptionsPrefix(LLS lls, const char prefix[]);
/* Option -lls_type. Logically collective. */
PetscErrorCode LLSSetType(LLS lls, LLSType type);
PetscErrorCode LLSSetBLP(LLS lls, BLP blp);
PetscErrorCode LLSGetFPM(LLS lls, FPM *fpm);
/* At most max_it steps (-lls_max_it) until ||Phi(x) - x|| <= max(rtol ||x||, atol) (-lls_rtol, -lls_atol);
   both 0: exactly max_it steps, and no norm is computed. PETSC_DEFAULT keeps a value. Logically collective.
 */
PetscErrorCode LLSSetTolerances(LLS lls, PetscReal rtol, PetscReal atol, PetscInt max_it);
PetscErrorCode LLSGetTolerances(LLS lls, PetscReal *rtol, PetscReal *atol, PetscInt *max_it);
/* Whether the next solve starts from the accepted state of the last (HG does it): -lls_warm_start. */
PetscErrorCode LLSSetWarmStart(LLS lls, PetscBool warm);
PetscErrorCode LLSGetWarmStart(LLS lls, PetscBool *warm);
PetscErrorCode LLSSetRecord(LLS lls, LLSRecordFn record, void *ctx);
PetscErrorCode LLSSetStop(LLS lls, LLSStopFn stop, void *ctx);
/* At most one monitor besides -lls_monitor. */
PetscErrorCode LLSMonitorSet(LLS lls, LLSMonitorFn monitor, void *ctx);
PetscErrorCode LLSSetFromOptions(LLS lls);
PetscErrorCode LLSSetUp(LLS lls);
PetscErrorCode LLSView(LLS lls, PetscViewer viewer);

/* x: on entry the start, on return the last iterate. Not reaching a tolerance is a reason, not an error.
   Collective. */
PetscErrorCode LLSSolve(LLS lls, Vec lambda, State x);
PetscErrorCode LLSGetConvergedReason(LLS lls, LLSConvergedReason *reason);
PetscErrorCode LLSGetIterationNumber(LLS lls, PetscInt *its);
/* ||Phi(x) - x|| at the last step, or -1 where it was not computed. */
PetscErrorCode LLSGetChange(LLS lls, PetscReal *change);

PetscErrorCode LLSRegister(const char type[], PetscErrorCode (*create)(LLS));

#if defined(__cplusplus)
}
#endif
#endif
