#ifndef TWOFOLD_ULS_H
#define TWOFOLD_ULS_H
/**
 * @file
 * ULS: the upper-level solver, min f(lambda) over lambda in Lambda by hypergradients.
 *
 * It owns its hypergradient (ULSGetHG()) and the set Lambda (ULSGetLSET()). A run can be watched
 * (ULSMonitorSet()), stopped (ULSSetStepHook()), and saved and taken up again (ULSSaveState(),
 * ULSRestoreState()).
 */
#include <twofold/hg.h>
#include <twofold/lset.h>
#include <petsctao.h>

#if defined(__cplusplus)
extern "C" {
#endif

/** An upper-level solver; a PETSc object, freed by ULSDestroy(). */
typedef struct _p_ULS *ULS;
/** Name of a type of solver. */
typedef const char *ULSType;
#define ULSDESCENT "descent" /**< lambda <- P(lambda - step * direction); fixed step, momentum, Adam */
#define ULSTAO     "tao"     /**< a Tao type that needs f, its gradient and perhaps bounds */

/** Why a solve ended. */
typedef enum {
  ULS_CONVERGED_ITS = 1,           /**< max_it steps made */
  ULS_CONVERGED_GATOL = 2,         /**< `||lambda - P(lambda - hypergradient)|| <= gatol` */
  ULS_CONVERGED_GRTOL = 3,         /**< tao: `||g|| <= grtol |f|` */
  ULS_CONVERGED_GTTOL = 4,         /**< tao: `||g|| <= gttol ||g_0||` */
  ULS_CONVERGED_STEPTOL = 5,       /**< tao: the step or the trust region is smaller than steptol */
  ULS_CONVERGED_MINF = 6,          /**< tao: `f <= fmin` */
  ULS_ITERATING = 0,               /**< not ended, or not begun */
  ULS_DIVERGED_HYPERGRADIENT = -1, /**< the hypergradient failed: no step was made on it */
  ULS_DIVERGED_INEXACT = -2,       /**< a tolerance was not reached and `-uls_on_inexact` is `stop` */
  ULS_DIVERGED_NANORINF = -3,      /**< lambda is not finite */
  ULS_STOPPED = -4,                /**< a stop hook asked for it */
  ULS_DIVERGED_MAXFCN = -5,        /**< tao: the evaluations of f are used up */
  ULS_DIVERGED_LINE_SEARCH = -6,   /**< tao: no lower f was found along the direction */
  ULS_DIVERGED_TRUST_REGION = -7   /**< tao: no lower f was found in a trust region that may shrink no more */
} ULSConvergedReason;
/** Names of the reasons, by their numbers -7 to 6: "CONVERGED_ITS", ... */
extern const char *const *ULSConvergedReasons;

/** One row of a run's history: the point before upper step `it`. */
typedef struct {
  PetscInt it;              /**< upper steps made before */
  PetscReal f;              /**< objective */
  Vec lambda;               /**< the point, for reading during the call */
  Vec g;                    /**< hypergradient; NULL at descent's last point, where only f is computed */
  PetscReal projected_norm; /**< `||lambda - P(lambda - g)||`; `||g||` without constraints, -1 without a g */
  HGReport hg;              /**< of the hypergradient, or of f alone */
  PetscInt64 total_lower_its;   /**< lower-level steps of the run so far, those of rejected trials included */
  PetscInt64 total_adjoint_its; /**< adjoint steps likewise */
  PetscInt64 evaluations;       /**< points at which f was computed so far, rejected trials included */
  PetscLogDouble time;          /**< s since ULSSolve() began */
} ULSPoint;
/**
 * Called at each point of a run.
 *
 * @collective
 *
 * @param[in]     uls    the solver
 * @param[in]     point  the point; valid during the call
 * @param[in]     ctx    of ULSMonitorSet()
 */
typedef PetscErrorCode (*ULSMonitorFn)(ULS uls, const ULSPoint *point, void *ctx);
/**
 * Called after each accepted step; every rank must set `*stop` alike.
 *
 * @collective
 *
 * @param[in]     uls   the solver
 * @param[in]     it    upper steps made so far
 * @param[out]    stop  whether the solve ends here, by ULS_STOPPED; false on entry
 * @param[in]     ctx   of ULSSetStepHook()
 */
typedef PetscErrorCode (*ULSStepFn)(ULS uls, PetscInt it, PetscBool *stop, void *ctx);

/**
 * Makes a solver, its hypergradient and its set: at most 100 steps of size 1.
 *
 * @collective
 *
 * @param[in]     comm  communicator
 * @param[out]    uls   the solver, the caller's: ULSDestroy()
 */
PetscErrorCode ULSCreate(MPI_Comm comm, ULS *uls);

/**
 * Drops a reference to a solver, and frees it, its hypergradient and its set with the last one.
 *
 * @collective
 *
 * @param[in,out] uls  the solver, NULL on return; NULL: nothing happens
 */
PetscErrorCode ULSDestroy(ULS *uls);

/**
 * Sets what the names of the options of the solver, its hypergradient and its set begin with.
 *
 * @logicallycollective
 *
 * @param[in]     uls     the solver
 * @param[in]     prefix  without the hyphen; copied
 */
PetscErrorCode ULSSetOptionsPrefix(ULS uls, const char prefix[]);

/**
 * Sets the type. Default: `descent`.
 *
 * @logicallycollective
 *
 * @param[in]     uls   the solver
 * @param[in]     type  `descent`, `tao`, or one of ULSRegister()
 *
 * @raises PETSC_ERR_ARG_UNKNOWN_TYPE there is no such type; the message names the closest
 * @option{-uls_type T}
 */
PetscErrorCode ULSSetType(ULS uls, ULSType type);

/**
 * Sets the problem, for the solver and its hypergradient.
 *
 * @collective
 *
 * @param[in]     uls  the solver
 * @param[in]     blp  the problem; the solver holds a reference to it
 */
PetscErrorCode ULSSetBLP(ULS uls, BLP blp);

/**
 * Gives the hypergradient, for further settings.
 *
 * @notcollective
 *
 * @param[in]     uls  the solver
 * @param[out]    hg   the hypergradient, borrowed
 */
PetscErrorCode ULSGetHG(ULS uls, HG *hg);

/**
 * Gives the set Lambda, owned by the solver: lambda stays in it. Where it is free, the problem's own bounds
 * (BLPSetBounds()) make it a box when the solver is set up; a set of another type takes their place. A
 * spectral set of which nobody has said which matrix gets the problem's (BLPGetMatrix()).
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
 * @raises PETSC_ERR_ARG_WRONG the solver is not of type tao
 * @option{-uls_tao_type T}
 */
PetscErrorCode ULSGetTao(ULS uls, Tao *tao);

/**
 * Sets the step size of `descent`.
 *
 * @logicallycollective
 *
 * @param[in]     uls   the solver
 * @param[in]     step  step size > 0
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE the step size is not positive and finite
 * @option{-uls_step S}
 */
PetscErrorCode ULSSetStep(ULS uls, PetscReal step);

/**
 * Sets the number of upper steps at most.
 *
 * @logicallycollective
 *
 * @param[in]     uls     the solver
 * @param[in]     max_it  steps at most, not negative
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE the number is negative
 * @option{-uls_max_it N}
 */
PetscErrorCode ULSSetMaximumIterations(ULS uls, PetscInt max_it);

/**
 * Gives the number of upper steps at most.
 *
 * @notcollective
 *
 * @param[in]     uls     the solver
 * @param[out]    max_it  steps at most
 */
PetscErrorCode ULSGetMaximumIterations(ULS uls, PetscInt *max_it);

/**
 * Sets the monitor: at most one besides `-uls_monitor`.
 *
 * @logicallycollective
 *
 * @param[in]     uls      the solver
 * @param[in]     monitor  the monitor; NULL: none
 * @param[in]     ctx      handed to it; stays the caller's
 *
 * @option{-uls_monitor} prints f and the norm of g
 */
PetscErrorCode ULSMonitorSet(ULS uls, ULSMonitorFn monitor, void *ctx);

/**
 * Sets the hook that hears of each accepted step and may end the solve.
 *
 * @logicallycollective
 *
 * @param[in]     uls   the solver
 * @param[in]     hook  the hook; NULL: none
 * @param[in]     ctx   handed to it; stays the caller's
 */
PetscErrorCode ULSSetStepHook(ULS uls, ULSStepFn hook, void *ctx);

/**
 * Takes the settings of the solver, its hypergradient and its set from the options.
 *
 * `-uls_gatol` is the tolerance on the norm of the (projected) hypergradient, `-uls_on_inexact` what happens
 * where a hypergradient missed its tolerance: `step` all the same (default), or `stop`.
 *
 * @collective
 *
 * @param[in]     uls  the solver
 *
 * @raises PETSC_ERR_ARG_UNKNOWN_TYPE as ULSSetType(), or Tao has no such type
 * @raises PETSC_ERR_ARG_OUTOFRANGE as ULSSetStep() and ULSSetMaximumIterations(); gatol is negative; a
 * setting of momentum or Adam is not in its range
 * @raises PETSC_ERR_ARG_INCOMP -uls_momentum beside Adam, or -uls_tao_max_it in place of -uls_max_it
 * @raises PETSC_ERR_SUP the type of Tao needs more than f, its gradient and bounds, or is owlqn without
 * `-uls_tao_owlqn_lambda 0`
 * @option{-uls_gatol G}
 * @option{-uls_on_inexact stop|step}
 * @option{-uls_momentum M, -uls_momentum_type heavy|nesterov|adam}
 * @option{-uls_adam_beta1 B, -uls_adam_beta2 B, -uls_adam_epsilon E}
 */
PetscErrorCode ULSSetFromOptions(ULS uls);

/**
 * Sets the hypergradient and the set up; the next solve begins a run of its own. ULSSolve() calls it.
 *
 * @collective
 *
 * @param[in]     uls  the solver
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE there is no problem
 * @raises PETSC_ERR_ARG_UNKNOWN_TYPE tao: there is no such type of Tao
 * @raises PETSC_ERR_SUP what HGSetUp() raises; tao: the set is not one of bounds, or the type of Tao ignores
 * them, or needs more than f, its gradient and bounds (it may have been set through ULSGetTao())
 */
PetscErrorCode ULSSetUp(ULS uls);

/**
 * Prints the settings of the solver, its set and its hypergradient.
 *
 * @collective
 *
 * @param[in]     uls     the solver
 * @param[in]     viewer  ASCII viewer, to others nothing is printed; NULL: standard output
 *
 * @option{-uls_view}
 */
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
 *
 * @option{-uls_converged_reason} prints the reason
 * @option{-uls_view_solution}
 */
PetscErrorCode ULSSolve(ULS uls, Vec lambda);

/**
 * Gives why the last solve ended.
 *
 * @notcollective
 *
 * @param[in]     uls     the solver
 * @param[out]    reason  the reason, ULS_ITERATING before the first solve
 */
PetscErrorCode ULSGetConvergedReason(ULS uls, ULSConvergedReason *reason);

/**
 * Gives the number of upper steps of the run so far.
 *
 * @notcollective
 *
 * @param[in]     uls  the solver
 * @param[out]    it   steps made, those before a restart included
 */
PetscErrorCode ULSGetIterationNumber(ULS uls, PetscInt *it);

/**
 * Gives f at the last point.
 *
 * @notcollective
 *
 * @param[in]     uls  the solver
 * @param[out]    f    objective
 */
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

/**
 * Writes lambda, the counters, the best point, the momentum or the means of Adam, and HG's accepted states to
 * a file.
 *
 * Descent goes on bitwise from there. The memory of a Tao type (past steps, trust region) cannot be saved:
 * such a run starts anew at the saved lambda.
 *
 * @collective
 *
 * @param[in]     uls     the solver
 * @param[in]     lambda  the point; gets the name "lambda"
 * @param[in]     viewer  HDF5 viewer, for writing
 */
PetscErrorCode ULSSaveState(ULS uls, Vec lambda, PetscViewer viewer);

/**
 * Takes what ULSSaveState() wrote from a file; the next ULSSolve() goes on from there.
 *
 * @collective
 *
 * @param[in]     uls     the solver, with the settings of the one that wrote
 * @param[out]    lambda  the point, lambda's layout; gets the name "lambda"
 * @param[in]     viewer  HDF5 viewer, for reading
 *
 * @raises PETSC_ERR_FILE_UNEXPECTED the file lacks a vector, or has it with another length
 */
PetscErrorCode ULSRestoreState(ULS uls, Vec lambda, PetscViewer viewer);

/**
 * Gives the bytes this rank needs beside HG's and the problem's. Sets the object up where that is still to be
 * done; it is not collective after that.
 *
 * @collective
 *
 * @param[in]     uls    the solver
 * @param[out]    bytes  memory of this rank, bytes
 */
PetscErrorCode ULSGetMemory(ULS uls, PetscLogDouble *bytes);

/**
 * Adds a type of solver.
 *
 * @notcollective
 *
 * @param[in]     type    its name; copied
 * @param[in]     create  fills the table of operations and the data of a solver that becomes of this type
 */
PetscErrorCode ULSRegister(const char type[], PetscErrorCode (*create)(ULS));

#if defined(__cplusplus)
}
#endif
#endif
