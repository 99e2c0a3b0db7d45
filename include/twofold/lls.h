#ifndef TWOFOLD_LLS_H
#define TWOFOLD_LLS_H
/**
 * @file
 * LLS: the lower-level solver, w_t(lambda) by t steps of a fixed-point map or to a tolerance.
 *
 * It owns its map (LLSGetFPM()) and calls hooks on the way: LLSSetRecord() before each step, LLSSetStop() and
 * LLSMonitorSet() after it. HGGetLLS() gives the solver of a hypergradient.
 */
#include <petscsnes.h>
#include <twofold/fpm.h>
#include <twofold/precond.h>

#if defined(__cplusplus)
extern "C" {
#endif

/** A lower-level solver; a PETSc object, freed by LLSDestroy(). */
typedef struct _p_LLS *LLS;
/** Name of a type of solver. */
typedef const char *LLSType;
#define LLSPICARD   "picard"   /**< x_{i+1} = Phi(x_i, lambda) */
#define LLSANDERSON "anderson" /**< Anderson acceleration of the same; for AID */
#define LLSNEWTON   "newton"   /**< Newton's method on grad_w l = 0, or on w - Phi(w) = 0; for AID */

/** Why a solve ended; positive where it made the steps or reached the tolerance asked for. */
typedef enum {
  LLS_CONVERGED_ITS = 1,      /**< the fixed number of steps (rtol = atol = 0) was made */
  LLS_CONVERGED_RTOL = 2,     /**< `||Phi(x) - x|| <= rtol ||x||` */
  LLS_CONVERGED_ATOL = 3,     /**< `||Phi(x) - x|| <= atol` */
  LLS_ITERATING = 0,          /**< not ended, or not begun */
  LLS_DIVERGED_ITS = -1,      /**< max_it steps made, tolerance not reached */
  LLS_DIVERGED_NANORINF = -2, /**< the iterate is not finite */
  LLS_DIVERGED_DTOL = -3,     /**< `||Phi(x) - x||` grew by more than dtol (`-lls_dtol`), with a tolerance */
  LLS_STOPPED = -4,           /**< the stop hook asked for it */
  LLS_DIVERGED_LINEAR_SOLVE = -5, /**< newton: its KSP found no step of descent: the Hessian is indefinite */
  LLS_DIVERGED_LINE_SEARCH = -6 /**< newton: no step reduces the residual, short of the tolerance: rounding */
} LLSConvergedReason;
/** Names of the reasons, by their numbers -6 to 3: "CONVERGED_ITS", ... */
extern const char *const *LLSConvergedReasons;

/**
 * Called before step i with the state the step starts from.
 *
 * @collective
 *
 * @param[in]     ctx  of LLSSetRecord()
 * @param[in]     i    steps made so far
 * @param[in]     x    the state, for reading
 */
typedef PetscErrorCode (*LLSRecordFn)(void *ctx, PetscInt i, State x);
/**
 * Called after each step, unless the solve ends there anyway; every rank must set `*stop` alike.
 *
 * @collective
 *
 * @param[in]     ctx   of LLSSetStop()
 * @param[in]     i     steps made so far
 * @param[out]    stop  whether the solve ends here, by LLS_STOPPED; false on entry
 */
typedef PetscErrorCode (*LLSStopFn)(void *ctx, PetscInt i, PetscBool *stop);
/**
 * Called with the number of steps made and `||Phi(x) - x||` as LLSGetChange() gives it; by newton also at the
 * start, with 0 steps.
 *
 * @collective
 *
 * @param[in]     lls     the solver
 * @param[in]     i       steps made so far
 * @param[in]     change  `||Phi(x) - x||`
 * @param[in]     ctx     of LLSMonitorSet()
 */
typedef PetscErrorCode (*LLSMonitorFn)(LLS lls, PetscInt i, PetscReal change, void *ctx);

/**
 * Makes a solver and its map: exactly 100 steps from a cold start.
 *
 * @collective
 *
 * @param[in]     comm  communicator
 * @param[out]    lls   the solver, the caller's: LLSDestroy()
 */
PetscErrorCode LLSCreate(MPI_Comm comm, LLS *lls);

/**
 * Drops a reference to a solver, and frees it and its map with the last one.
 *
 * @collective
 *
 * @param[in,out] lls  the solver, NULL on return; NULL: nothing happens
 */
PetscErrorCode LLSDestroy(LLS *lls);

/**
 * Sets what the names of the solver's options begin with. Those of its map begin with it and `lls_`.
 *
 * @logicallycollective
 *
 * @param[in]     lls     the solver
 * @param[in]     prefix  without the hyphen; copied
 */
PetscErrorCode LLSSetOptionsPrefix(LLS lls, const char prefix[]);

/**
 * Sets the type. Default: `picard`.
 *
 * @logicallycollective
 *
 * @param[in]     lls   the solver
 * @param[in]     type  `picard`, `anderson`, `newton`, or one of LLSRegister()
 *
 * @raises PETSC_ERR_ARG_UNKNOWN_TYPE there is no such type; the message names the closest
 * @option{-lls_type T}
 */
PetscErrorCode LLSSetType(LLS lls, LLSType type);

/**
 * Gives the type.
 *
 * @notcollective
 *
 * @param[in]     lls   the solver
 * @param[out]    type  its name, borrowed; NULL before it is set
 */
PetscErrorCode LLSGetType(LLS lls, LLSType *type);

/**
 * Whether each step is one of the map, x_{i+1} = Phi(x_i), told to LLSSetRecord(): what iterative
 * differentiation needs.
 *
 * @notcollective
 *
 * @param[in]     lls  the solver, its type set
 * @param[out]    can  true for `picard`; false for `anderson` and `newton`, and for registered types that do
 * not say
 */
PetscErrorCode LLSCanRecord(LLS lls, PetscBool *can);

/**
 * Sets the problem whose lower level is solved, for the solver and its map.
 *
 * @collective
 *
 * @param[in]     lls  the solver
 * @param[in]     blp  the problem; the solver holds a reference to it
 */
PetscErrorCode LLSSetBLP(LLS lls, BLP blp);

/**
 * Gives the map, for further settings.
 *
 * @notcollective
 *
 * @param[in]     lls  the solver
 * @param[out]    fpm  the map, borrowed
 */
PetscErrorCode LLSGetFPM(LLS lls, FPM *fpm);

/**
 * Sets when a solve ends: after max_it steps, or earlier once `||Phi(x) - x|| <= max(rtol ||x||, atol)`.
 *
 * With both tolerances 0, exactly max_it steps are made, and no norm is computed (unless a monitor asks for
 * it).
 *
 * @logicallycollective
 *
 * @param[in]     lls     the solver
 * @param[in]     rtol    relative tolerance in [0, 1); PETSC_DEFAULT keeps the value, as for the others
 * @param[in]     atol    absolute tolerance, finite and not negative
 * @param[in]     max_it  steps at most, not negative
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE a value is not in its range
 * @option{-lls_rtol R}
 * @option{-lls_atol A}
 * @option{-lls_max_it T}
 */
PetscErrorCode LLSSetTolerances(LLS lls, PetscReal rtol, PetscReal atol, PetscInt max_it);

/**
 * Gives the tolerances.
 *
 * @notcollective
 *
 * @param[in]     lls     the solver
 * @param[out]    rtol    relative tolerance; may be NULL, as the others
 * @param[out]    atol    absolute tolerance
 * @param[out]    max_it  steps at most
 */
PetscErrorCode LLSGetTolerances(LLS lls, PetscReal *rtol, PetscReal *atol, PetscInt *max_it);

/**
 * Sets whether the next solve starts from the accepted state of the last. HG does it, by HGAccept():
 * LLSSolve() starts from the state it is given.
 *
 * @logicallycollective
 *
 * @param[in]     lls   the solver
 * @param[in]     warm  whether
 *
 * @option{-lls_warm_start}
 */
PetscErrorCode LLSSetWarmStart(LLS lls, PetscBool warm);

/**
 * Gives whether starts are warm.
 *
 * @notcollective
 *
 * @param[in]     lls   the solver
 * @param[out]    warm  whether
 */
PetscErrorCode LLSGetWarmStart(LLS lls, PetscBool *warm);

/**
 * Sets the hook that hears each state before the step from it. HG takes it for its tape.
 *
 * @logicallycollective
 *
 * @param[in]     lls     the solver
 * @param[in]     record  the hook; NULL: none
 * @param[in]     ctx     handed to it; stays the caller's
 */
PetscErrorCode LLSSetRecord(LLS lls, LLSRecordFn record, void *ctx);

/**
 * Sets the hook that may end a solve after a step.
 *
 * @logicallycollective
 *
 * @param[in]     lls   the solver
 * @param[in]     stop  the hook; NULL: none
 * @param[in]     ctx   handed to it; stays the caller's
 */
PetscErrorCode LLSSetStop(LLS lls, LLSStopFn stop, void *ctx);

/**
 * Sets the monitor: at most one besides `-lls_monitor`. It makes the solver compute `||Phi(x) - x||` at each
 * step.
 *
 * @logicallycollective
 *
 * @param[in]     lls      the solver
 * @param[in]     monitor  the monitor; NULL: none
 * @param[in]     ctx      handed to it; stays the caller's
 *
 * @option{-lls_monitor} prints the norm
 */
PetscErrorCode LLSMonitorSet(LLS lls, LLSMonitorFn monitor, void *ctx);

/**
 * Takes the settings of the solver and its map from the options.
 *
 * @collective
 *
 * @param[in]     lls  the solver
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE as LLSSetTolerances(), or dtol is not more than 1; and what
 * FPMSetFromOptions() raises
 * @raises PETSC_ERR_ARG_UNKNOWN_TYPE as LLSSetType()
 * @option{-lls_dtol D}
 */
PetscErrorCode LLSSetFromOptions(LLS lls);

/**
 * Sets the map up, and the type where none was chosen. LLSSolve() calls it.
 *
 * @collective
 *
 * @param[in]     lls  the solver
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE the solver has no problem
 */
PetscErrorCode LLSSetUp(LLS lls);

/**
 * Prints the settings of the solver and its map.
 *
 * @collective
 *
 * @param[in]     lls     the solver
 * @param[in]     viewer  ASCII viewer, to others nothing is printed; NULL: standard output
 *
 * @option{-lls_view}
 */
PetscErrorCode LLSView(LLS lls, PetscViewer viewer);

/**
 * Solves the lower level at lambda. Not reaching a tolerance is a reason, not an error. An optimal step of
 * the map is chosen first (FPMPrepare()).
 *
 * @collective
 *
 * @param[in]     lls     the solver
 * @param[in]     lambda  hyperparameters
 * @param[in,out] x       a state of the map: on entry the start, on return the last iterate
 *
 * @option{-lls_converged_reason} prints the reason
 */
PetscErrorCode LLSSolve(LLS lls, Vec lambda, State x);

/**
 * Gives why the last solve ended.
 *
 * @notcollective
 *
 * @param[in]     lls     the solver
 * @param[out]    reason  the reason, LLS_ITERATING before the first solve
 */
PetscErrorCode LLSGetConvergedReason(LLS lls, LLSConvergedReason *reason);

/**
 * Gives the number of steps of the last solve.
 *
 * @notcollective
 *
 * @param[in]     lls  the solver
 * @param[out]    its  steps made
 */
PetscErrorCode LLSGetIterationNumber(LLS lls, PetscInt *its);

/**
 * Gives `||Phi(x) - x||` of the last step: with `picard` and `anderson` of the point the step was made from,
 * the result is its image; with `newton` of the result itself, in w alone.
 *
 * @notcollective
 *
 * @param[in]     lls     the solver
 * @param[out]    change  the norm, or -1 where it was not computed
 */
PetscErrorCode LLSGetChange(LLS lls, PetscReal *change);

/**
 * Gives the number of products that the last solve made with the Hessian, or with I - d1Phi where the lower
 * level is a map.
 *
 * @notcollective
 *
 * @param[in]     lls       the solver
 * @param[out]    products  their number; 0 but for `newton`
 */
PetscErrorCode LLSGetProducts(LLS lls, PetscInt *products);

/**
 * Gives newton's nonlinear solver, for further settings; its options begin with `lls_newton_`.
 *
 * Its convergence test is the solver's own, by LLSSetTolerances(). Its KSP (SNESGetKSP()) is cg where the
 * lower level is a loss or d1Phi is symmetric, else gmres, and solves inexactly, to tolerances by Eisenstat
 * and Walker, SIAM J. Sci. Comput. 17 (1996).
 *
 * @notcollective
 *
 * @param[in]     lls   the solver, of type newton
 * @param[out]    snes  its SNES, borrowed
 *
 * @raises PETSC_ERR_ARG_WRONG the solver is not newton
 * @option{-lls_newton_snes_..., -lls_newton_ksp_...}
 */
PetscErrorCode LLSGetSNES(LLS lls, SNES *snes);

/**
 * Gives the preconditioner of newton's linear systems, for further settings; its options begin with
 * `lls_newton_`.
 *
 * @notcollective
 *
 * @param[in]     lls      the solver
 * @param[out]    precond  the preconditioner, borrowed; NULL where the type solves no linear systems
 *
 * @option{-lls_newton_precond T}
 */
PetscErrorCode LLSGetPrecond(LLS lls, Precond *precond);

/**
 * Sets how many differences of former points anderson combines.
 *
 * @logicallycollective
 *
 * @param[in]     lls    the solver, of type anderson
 * @param[in]     depth  1 .. 100; the default is 5. Each takes two vectors of the size of a state
 *
 * @raises PETSC_ERR_ARG_WRONG the solver is not anderson
 * @raises PETSC_ERR_ARG_OUTOFRANGE depth is not in its range
 * @option{-lls_anderson_depth M}
 */
PetscErrorCode LLSAndersonSetDepth(LLS lls, PetscInt depth);

/**
 * Adds a type of solver.
 *
 * @notcollective
 *
 * @param[in]     type    its name; copied
 * @param[in]     create  fills the table of operations and the data of a solver that becomes of this type
 */
PetscErrorCode LLSRegister(const char type[], PetscErrorCode (*create)(LLS));

/**
 * Gives the names of all registered types.
 *
 * @notcollective
 *
 * @param[out]    n      their number
 * @param[out]    types  their names; free the array (not the names) with PetscFree()
 */
PetscErrorCode LLSGetRegistered(PetscInt *n, const char ***types);

#if defined(__cplusplus)
}
#endif
#endif
