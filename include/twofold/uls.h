#ifndef TWOFOLD_ULS_H
#define TWOFOLD_ULS_H
/* ULS: the upper-level solver, min f(lambda) by hypergradients. */
#include <twofold/hg.h>

#if defined(__cplusplus)
extern "C" {
#endif

typedef struct _p_ULS *ULS;
typedef const char *ULSType;
#define ULSDESCENT "descent" /* lambda <- lambda - step * direction; fixed step, momentum */

typedef enum {
  ULS_CONVERGED_ITS = 1,   /* max_it steps made */
  ULS_CONVERGED_GATOL = 2, /* ||hypergradient|| <= gatol */
  ULS_ITERATING = 0,
  ULS_DIVERGED_HYPERGRADIENT = -1, /* the hypergradient failed: no step was made on it */
  ULS_DIVERGED_INEXACT = -2,       /* a tolerance was not reached and -uls_on_inexact is stop */
  ULS_DIVERGED_NANORINF = -3,      /* lambda is not finite */
  ULS_STOPPED = -4                 /* a stop hook asked for it */
} ULSConvergedReason;
extern const char *const *ULSConvergedReasons;

/* One row of a run's history: the point before upper step `it`. */
typedef struct {
  PetscInt it;
  PetscReal f;
  Vec lambda;
  Vec g; /* NULL at the last point, where only f is computed */
  HGReport hg;
  PetscLogDouble time; /* s since ULSSolve() began */
} ULSPoint;
typedef PetscErrorCode (*ULSMonitorFn)(ULS uls, const ULSPoint *point, void *ctx);
/* Called after each accepted step; every rank must set *stop alike. */
typedef PetscErrorCode (*ULSStepFn)(ULS uls, PetscInt it, PetscBool *stop, void *ctx);

PetscErrorCode ULSCreate(MPI_Comm comm, ULS *uls);
PetscErrorCode ULSDestroy(ULS *uls);
PetscErrorCode ULSSetOptionsPrefix(ULS uls, const char prefix[]);
/* Option -uls_type. Logically collective. */
PetscErrorCode ULSSetType(ULS uls, ULSType type);
PetscErrorCode ULSSetBLP(ULS uls, BLP blp);
PetscErrorCode ULSGetHG(ULS uls, HG *hg);
/* Step size > 0: -uls_step; upper steps: -uls_max_it; tolerance on ||hypergradient||: -uls_gatol. */
PetscErrorCode ULSSetStep(ULS uls, PetscReal step);
PetscErrorCode ULSSetMaximumIterations(ULS uls, PetscInt max_it);
PetscErrorCode ULSGetMaximumIterations(ULS uls, PetscInt *max_it);
PetscErrorCode ULSMonitorSet(ULS uls, ULSMonitorFn monitor, void *ctx);
PetscErrorCode ULSSetStepHook(ULS uls, ULSStepFn hook, void *ctx);
PetscErrorCode ULSSetFromOptions(ULS uls);
PetscErrorCode ULSSetUp(ULS uls);
PetscErrorCode ULSView(ULS uls, PetscViewer viewer);

/* From lambda (in) to the last point (out). Goes on from the iteration of ULSRestoreState(). Collective. */
PetscErrorCode ULSSolve(ULS uls, Vec lambda);
PetscErrorCode ULSGetConvergedReason(ULS uls, ULSConvergedReason *reason);
PetscErrorCode ULSGetIterationNumber(ULS uls, PetscInt *it);
/* f at the last point. */
PetscErrorCode ULSGetObjective(ULS uls, PetscReal *f);

/* Writes lambda, the counters, the momentum and HG's accepted states to an HDF5 viewer, or takes them from
   it. Collective. */
PetscErrorCode ULSSaveState(ULS uls, Vec lambda, PetscViewer viewer);
PetscErrorCode ULSRestoreState(ULS uls, Vec lambda, PetscViewer viewer);

/* Bytes this rank needs beside HG's and the problem's. Not collective. */
PetscErrorCode ULSGetMemory(ULS uls, PetscLogDouble *bytes);

PetscErrorCode ULSRegister(const char type[], PetscErrorCode (*create)(ULS));

#if defined(__cplusplus)
}
#endif
#endif
