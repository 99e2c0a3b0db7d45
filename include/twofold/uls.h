#ifndef TWOFOLD_ULS_H
#define TWOFOLD_ULS_H
/* ULS: the upper-level solver, min f(lambda) over lambda in Lambda by hypergradients. */
#include <twofold/hg.h>
#include <twofold/lset.h>
#include <petsctao.h>

#if defined(__cplusplus)
extern "C" {
#endif

typedef struct _p_ULS *ULS;
typedef const char *ULSType;
#define ULSDESCENT "descent" /* lambda <- P(lambda - step * direction); fixed step, momentum, Adam */
#define ULSTAO     "tao"     /* a Tao type that needs f, its gradient and perhaps bounds */

typedef enum {
  ULS_CONVERGED_ITS = 1,     /* max_it steps made */
  ULS_CONVERGED_GATOL = 2,   /* ||lambda - P(lambda - hypergradient)|| <= gatol */
  ULS_CONVERGED_GRTOL = 3,   /* tao: ||g|| <= grtol |f| */
  ULS_CONVERGED_GTTOL = 4,   /* tao: ||g|| <= gttol ||g_0|| */
  ULS_CONVERGED_STEPTOL = 5, /* tao: the step or the trust region is smaller than steptol */
  ULS_CONVERGED_MINF = 6,    /* tao: f <= fmin */
  ULS_ITERATING = 0,
  ULS_DIVERGED_HYPERGRADIENT = -1, /* the hypergradient failed: no step was made on it */
  ULS_DIVERGED_INEXACT = -2,       /* a tolerance was not reached and -uls_on_inexact is stop */
  ULS_DIVERGED_NANORINF = -3,      /* lambda is not finite */
  ULS_STOPPED = -4,                /* a stop hook asked for it */
  ULS_DIVERGED_MAXFCN = -5,        /* tao: the evaluations of f are used up */
  ULS_DIVERGED_LINE_SEARCH = -6,   /* tao: no lower f was found along the direction */
  ULS_DIVERGED_TRUST_REGION = -7   /* tao: no lower f was found in a trust region that may shrink no more */
} ULSConvergedReason;
extern const char *const *ULSConvergedReasons;

/** One row of a run's history: the point before upper step `it`. */
typedef struct {
  PetscInt it;
  PetscReal f;
  Vec lambda;
  Vec g;                    /**< NULL at descent's last point, where only f is computed */
  PetscReal projected_norm; /**< ||lambda - P(lambda - g)||; ||g|| without constraints, -1 without a g */
  HGReport hg;
  PetscInt64 total_lower_its;   /**< lower-level steps of the run so far, those of rejected trials included */
  PetscInt64 total_adjoint_its; /**< adjoint steps likewise */
  PetscInt64 evaluations;       /**< points at which f was computed so far, rejected trials included */
  PetscLogDouble time;          /**< s since ULSSolve() began */
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

/**
 * Gives the set Lambda, owned by the solver: lambda stays in it. Where it is free, the problem's own bounds
 * (BLPSetBounds()) make it a box when the solver is set up; a set of another type takes their place.
 *
 * @notcollective
 *
 * @param[in]     uls     the solver
 * @param[out]    lset    the set, borrowed
 *
 * @option{-lset_type T}
 */
PetscErrorCode ULSGetLSET(ULS uls, LSET *lset);

/**
 * Gives Tao's solver, for further settings; its options begin with `uls_tao_`. ULS sets its objective, its
 * convergence test, its bounds and its number of iterations, and refuses a type that needs more than f, its
 * gradient and bounds.
 *
 * @notcollective
 *
 * @param[in]     uls     the solver, of type tao
 * @param[out]    tao     Tao's solver, borrowed
 *
 * @raises{PETSC_ERR_ARG_WRONG, the solver is not of type tao}
 * @option{-uls_tao_type T}
 */
PetscErrorCode ULSGetTao(ULS uls, Tao *tao);

/* Step size > 0: -uls_step; upper steps: -uls_max_it; tolerance on the norm of the
   (projected) hypergradient: -uls_gatol. */
PetscErrorCode ULSSetStep(ULS uls, PetscReal step);
PetscErrorCode ULSSetMaximumIterations(ULS uls, PetscInt max_it);
PetscErrorCode ULSGetMaximumIterations(ULS uls, PetscInt *max_it);
PetscErrorCode ULSMonitorSet(ULS uls, ULSMonitorFn monitor, void *ctx);
PetscErrorCode ULSSetStepHook(ULS uls, ULSStepFn hook, void *ctx);
PetscErrorCode ULSSetFromOptions(ULS uls);
PetscErrorCode ULSSetUp(ULS uls);
PetscErrorCode ULSView(ULS uls, PetscViewer viewer);

/**
 * Minimises f from lambda on. Goes on from the iteration of ULSRestoreState(); a new solve first projects
 * lambda onto the set. On return lambda is the last point: with descent the one after the last step, with tao
 * the last one that Tao accepted.
 *
 * @collective
 *
 * @param[in]     uls     the solver
 * @param[in,out] lambda  where to start; the last point
 */
PetscErrorCode ULSSolve(ULS uls, Vec lambda);
PetscErrorCode ULSGetConvergedReason(ULS uls, ULSConvergedReason *reason);
PetscErrorCode ULSGetIterationNumber(ULS uls, PetscInt *it);
/* f at the last point. */
PetscErrorCode ULSGetObjective(ULS uls, PetscReal *f);

/**
 * Gives the best of the points so far: of those that were accepted, the first with the lowest finite f.
 *
 * @notcollective
 *
 * @param[in]     uls     the solver
 * @param[out]    lambda  the point, borrowed; NULL where there is none yet. May be NULL, as the others
 * @param[out]    f       its objective, infinite where there is none
 * @param[out]    it      its number, -1 where there is none
 */
PetscErrorCode ULSGetBest(ULS uls, Vec *lambda, PetscReal *f, PetscInt *it);

/**
 * Gives the work of the run so far, rejected trials and whatever came after the last point included.
 *
 * @notcollective
 *
 * @param[in]     uls          the solver
 * @param[out]    lower_its    lower-level steps; may be NULL, as the others
 * @param[out]    adjoint_its  adjoint steps
 * @param[out]    evaluations  points at which f was computed
 */
PetscErrorCode ULSGetWork(ULS uls, PetscInt64 *lower_its, PetscInt64 *adjoint_its, PetscInt64 *evaluations);

/* Writes lambda, the counters, the best point, the momentum or the means of Adam, and HG's accepted states to
   an HDF5 viewer, or takes them from it. Descent goes on bitwise from there. The memory of a Tao type (past
   steps, trust region) cannot be saved: such a run starts anew at the saved lambda. Collective. */
PetscErrorCode ULSSaveState(ULS uls, Vec lambda, PetscViewer viewer);
PetscErrorCode ULSRestoreState(ULS uls, Vec lambda, PetscViewer viewer);

/* Bytes this rank needs beside HG's and the problem's. Not collective. */
PetscErrorCode ULSGetMemory(ULS uls, PetscLogDouble *bytes);

PetscErrorCode ULSRegister(const char type[], PetscErrorCode (*create)(ULS));

#if defined(__cplusplus)
}
#endif
#endif
