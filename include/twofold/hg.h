#ifndef TWOFOLD_HG_H
#define TWOFOLD_HG_H
/**
 * @file
 * HG: f(lambda) = E(w(lambda), lambda) and its hypergradient, by iterative differentiation (`itd`) or
 * approximate implicit differentiation (`aid`); for small problems to rounding (`exact`).
 *
 * It owns its lower-level solver (HGGetLLS()), and its tape (HGGetTape(), itd) or its KSP and the adjoint's
 * map (HGGetKSP(), HGGetAdjointFPM(), aid). For a problem with folds, f and the hypergradient are the folds'
 * means.
 */
#include <twofold/lls.h>
#include <twofold/tape.h>
#include <petscksp.h>

#if defined(__cplusplus)
extern "C" {
#endif

/** A hypergradient; a PETSc object, freed by HGDestroy(). */
typedef struct _p_HG *HG;
/** Name of a type of hypergradient. */
typedef const char *HGType;
#define HGITD   "itd"   /**< iterative differentiation: the tape of iterates, run backwards */
#define HGAID   "aid"   /**< approximate implicit differentiation: (I - d1Phi^T) v = grad1 E by a KSP */
#define HGEXACT "exact" /**< for reference: a closed form, or by direct solves for small problems */

/**
 * A KSP for aid: conjugate gradients where each step is one pass over the vectors (BLPLossSweepCGStep()), for
 * problems with sweeps (BLPCanSweep()) through the map gd, without preconditioner. Registered with PETSc by
 * the first hypergradient; aid's default where it can be had.
 */
#define KSPSWEEPCG "sweepcg"

/**
 * A KSP for aid: the fixed-point method v <- d1Phi^T v + grad1 E, the same iterates as KSPRICHARDSON's. A
 * fixed number of steps that no monitor watches is made at once where the map allows it
 * (FPMCanAdjointSteps()), in as few passes over the vectors as it can. Without preconditioner. Registered
 * with PETSc by the first hypergradient.
 */
#define KSPFIXEDPOINT "fixedpoint"

/**
 * A KSP for aid: conjugate gradients on the normal equations A^T A v = A^T grad1 E, A = I - d1Phi^T, with
 * KSPCGNE's iterates and norm, \|\|A^T (grad1 E - A v)\|\|. Each step is one pass over the vectors where the
 * map allows it (FPMCanNormalStep()). k steps make 2 k + 1 products, one less where no norm is asked for.
 * Without preconditioner. Registered with PETSc by the first hypergradient.
 */
#define KSPCGNR "cgnr"

/** Which way iterative differentiation goes through the steps of the lower level. */
typedef enum {
  HG_ITD_REVERSE, /**< back from the last one, over a tape of the iterates: t products whatever lambda's size
                   */
  HG_ITD_FORWARD  /**< along with the solve, without a tape: t products for each entry of lambda */
} HGITDMode;
/** Names of the ways: "reverse", "forward"; laid out as for PetscOptionsEnum(). */
extern const char *const HGITDModes[];

/** What exact solves its dense systems by. */
typedef enum {
  HG_EXACT_AUTO,     /**< scalapack for w of 512 entries and more on several ranks, where PETSc has it */
  HG_EXACT_LAPACK,   /**< every rank holds and factors the whole matrix */
  HG_EXACT_SCALAPACK /**< the ranks share it; lapack all the same on one rank, or with few entries a rank */
} HGExactSolver;
/** Names of the solvers: "auto", "lapack", "scalapack"; laid out as for PetscOptionsEnum(). */
extern const char *const HGExactSolvers[];

/** Where the interval of aid's Chebyshev method comes from, `[a, b]` with the eigenvalues of I - d1Phi in it.
 */
typedef enum {
  HG_CHEBYSHEV_AUTO,     /**< formula where it can be had and the KSP's options give none; else ksp */
  HG_CHEBYSHEV_FORMULA,  /**< the problem's constants */
  HG_CHEBYSHEV_COMPUTED, /**< extreme eigenvalues at the point of each solve, by SLEPc */
  HG_CHEBYSHEV_KSP       /**< PETSc's KSPCHEBYSHEV estimates it, or is told */
} HGChebyshevInterval;
/** Their names: "auto", "formula", "computed", "ksp"; laid out as for PetscOptionsEnum(). */
extern const char *const HGChebyshevIntervals[];

/** Why a hypergradient ended. */
typedef enum {
  HG_CONVERGED_ITS = 1,      /**< the fixed numbers of steps t and k were made */
  HG_CONVERGED_RTOL = 2,     /**< all tolerances asked for were reached */
  HG_CONVERGED_BOUND = 3,    /**< the error bound is within the tolerance of HGSetTolerance() */
  HG_CONVERGED_ESTIMATE = 4, /**< the error estimate is */
  HG_ITERATING = 0,          /**< not ended, or not begun */
  HG_DIVERGED_ITS = -1,      /**< finite, but a tolerance was not reached within the steps allowed */
  HG_DIVERGED_NANORINF = -2, /**< f or the hypergradient is not finite */
  HG_DIVERGED_LOWER = -3,    /**< the lower level diverged: see the LLS reason */
  HG_DIVERGED_ADJOINT = -4,  /**< the adjoint solve failed: see the KSP reason */
  HG_STOPPED = -5            /**< a stop hook asked for it: HGSetStop(), or the lower level's */
} HGConvergedReason;
/** Names of the reasons, by their numbers -5 to 4: "CONVERGED_ITS", ... */
extern const char *const *HGConvergedReasons;

/** What a hypergradient tells of its own error. */
typedef enum {
  HG_CERTIFICATE_NONE,     /**< nothing */
  HG_CERTIFICATE_BOUND,    /**< a bound by residuals and constants: HGReport.bound */
  HG_CERTIFICATE_ESTIMATE, /**< an estimate by another solve, which is not a bound */
  HG_CERTIFICATE_BOTH      /**< both */
} HGCertificate;
/** Their names: "none", "bound", "estimate", "both"; laid out as for PetscOptionsEnum(). */
extern const char *const HGCertificates[];

/** Where the strong convexity that an error bound is made of comes from. */
typedef enum {
  HG_MU_FORMULA, /**< the problem's formula, which holds everywhere */
  HG_MU_BALL     /**< the least eigenvalue of the Hessian at the iterate, by SLEPc, less what it may fall by
                    up to w(lambda), where that is more */
} HGCertificateMu;
/** Their names: "formula", "ball"; laid out as for PetscOptionsEnum(). */
extern const char *const HGCertificateMus[];

/**
 * What the last HGSolve() or HGEvaluate() did. Of folds: the worst reason, with the other reasons of the
 * first fold that has it; steps of all folds together; the largest residual, change and times; the mean of
 * the bounds, and of the estimates.
 */
typedef struct {
  HGConvergedReason reason;          /**< why it ended */
  LLSConvergedReason lower_reason;   /**< why the lower-level solve ended */
  KSPConvergedReason adjoint_reason; /**< 0 with itd */
  PetscInt lower_its;                /**< steps of the lower level */
  PetscInt adjoint_its;              /**< KSP iterations, steps that itd differentiated; 1 with exact */
  PetscReal adjoint_residual; /**< `||grad1 E - (I - d1Phi^T) v|| / ||grad1 E||`, recomputed; -1 with itd, and
                                 in closed form */
  PetscReal lower_change;     /**< `||Phi(x) - x||` of the last step, -1 where not computed */
  PetscReal norm;             /**< `||hypergradient||` */
  TwofoldConstant bound;      /**< of `||hypergradient - grad f||`, where HGSetCertificate() asked for it: a
                                 certificate if its standing is proved, else a computed bound; if unknown,
                                 its origin says why. Products counts what it cost. Of a corrected
                                 hypergradient, that of the one before plus the correction's norm */
  TwofoldConstant estimate;   /**< of the same error, where it was asked for: to first order, no bound. Of a
                                 corrected hypergradient, of the error before the correction */
  PetscInt lower_products;    /**< of the lower-level solver beside its steps (newton) */
  PetscInt adjoint_products;  /**< with d1Phi or its transpose, of aid's solve, its residual and its
                                 preconditioner's build, or of itd's sweep */
  PetscInt certificate_products; /**< and gradients of the lower level, that bound, estimate and their
                                    steering cost */
  PetscLogDouble lower_time,     /**< time of the lower-level solve, s, this rank */
      adjoint_time;              /**< time of the adjoint, s, this rank */
} HGReport;

/**
 * Makes a hypergradient and its lower-level solver.
 *
 * @collective
 *
 * @param[in]     comm  communicator
 * @param[out]    hg    the hypergradient, the caller's: HGDestroy()
 */
PetscErrorCode HGCreate(MPI_Comm comm, HG *hg);

/**
 * Drops a reference to a hypergradient, and frees it and its children with the last one.
 *
 * @collective
 *
 * @param[in,out] hg  the hypergradient, NULL on return; NULL: nothing happens
 */
PetscErrorCode HGDestroy(HG *hg);

/**
 * Sets what the names of the options of the hypergradient and its lower-level solver begin with.
 *
 * @logicallycollective
 *
 * @param[in]     hg      the hypergradient
 * @param[in]     prefix  without the hyphen; copied
 */
PetscErrorCode HGSetOptionsPrefix(HG hg, const char prefix[]);

/**
 * Sets the type. Default: `aid`. Another type drops the old one's tape, or KSP and map, and the
 * children of folds.
 *
 * @logicallycollective
 *
 * @param[in]     hg    the hypergradient
 * @param[in]     type  `aid`, `itd`, `exact`, or one of HGRegister()
 *
 * @raises PETSC_ERR_ARG_UNKNOWN_TYPE there is no such type; the message names the closest
 * @option{-hg_type T}
 */
PetscErrorCode HGSetType(HG hg, HGType type);

/**
 * Gives the type.
 *
 * @notcollective
 *
 * @param[in]     hg    the hypergradient
 * @param[out]    type  its name, borrowed; NULL before it is set
 */
PetscErrorCode HGGetType(HG hg, HGType *type);

/**
 * Sets the problem, for the hypergradient and its lower-level solver. Children of the folds of another
 * problem are dropped.
 *
 * @collective
 *
 * @param[in]     hg   the hypergradient
 * @param[in]     blp  the problem; the hypergradient holds a reference to it
 */
PetscErrorCode HGSetBLP(HG hg, BLP blp);

/**
 * Takes the settings of the hypergradient and its children from the options; aid's `-hg_warm_start` starts
 * the adjoint solve from the last accepted v.
 *
 * @collective
 *
 * @param[in]     hg  the hypergradient
 *
 * @raises PETSC_ERR_ARG_UNKNOWN_TYPE as HGSetType()
 * @raises PETSC_ERR_ARG_OUTOFRANGE as HGITDSetTruncation(), TapeSetFromOptions() and LLSSetFromOptions()
 * @option{-hg_warm_start}
 * @option{-hg_monitor}
 */
PetscErrorCode HGSetFromOptions(HG hg);

/**
 * Sets the problem, the lower-level solver and the adjoint up. HGSolve() calls it.
 *
 * @collective
 *
 * @param[in]     hg  the hypergradient
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE there is no problem
 * @raises PETSC_ERR_ARG_OUTOFRANGE aid: a tolerance of the KSP, or its number of steps, is not in its range
 * @raises PETSC_ERR_SUP aid: the KSP cannot solve the adjoint system, as CG where d1Phi is not symmetric;
 * `-hg_lanczos` without CG, or with a preconditioner; a preconditioner that does not suit the map or the
 * problem; exact: w is larger than HGExactSetMaxSize(); folds:
 * `-hg_view_solution` or `-hg_view_adjoint`
 */
PetscErrorCode HGSetUp(HG hg);

/**
 * Prints the settings of the hypergradient and its children; with folds, those of the first fold.
 *
 * @collective
 *
 * @param[in]     hg      the hypergradient
 * @param[in]     viewer  ASCII viewer, to others nothing is printed; NULL: standard output
 *
 * @option{-hg_view}
 */
PetscErrorCode HGView(HG hg, PetscViewer viewer);

/**
 * Gives the problem.
 *
 * @notcollective
 *
 * @param[in]     hg   the hypergradient
 * @param[out]    blp  the problem, borrowed; NULL where there is none
 */
PetscErrorCode HGGetBLP(HG hg, BLP *blp);

/**
 * Gives the lower-level solver, for further settings.
 *
 * @notcollective
 *
 * @param[in]     hg   the hypergradient
 * @param[out]    lls  the solver, borrowed
 */
PetscErrorCode HGGetLLS(HG hg, LLS *lls);

/**
 * Gives the adjoint's solver of aid, for further settings; its options begin with `hg_`.
 *
 * @notcollective
 *
 * @param[in]     hg   the hypergradient, of type aid
 * @param[out]    ksp  the solver, borrowed
 *
 * @raises PETSC_ERR_ARG_WRONG the hypergradient is not aid
 * @option{-hg_ksp_type T}
 */
PetscErrorCode HGGetKSP(HG hg, KSP *ksp);

/**
 * Gives the preconditioner of aid's adjoint system, for further settings; its options begin with `hg_`.
 *
 * Once set up, it is newton's (LLSGetPrecond()) where that is of the same type, rank, seed and reuse.
 *
 * @notcollective
 *
 * @param[in]     hg       the hypergradient, of type aid
 * @param[out]    precond  the preconditioner, borrowed
 *
 * @raises PETSC_ERR_ARG_WRONG the hypergradient is not aid
 * @raises PETSC_ERR_SUP the problem has folds, and there is one in each
 * @option{-hg_precond T}
 */
PetscErrorCode HGGetPrecond(HG hg, Precond *precond);

/**
 * Gives the map whose derivatives make aid's adjoint system, for further settings; its options begin with
 * `hg_`.
 *
 * @notcollective
 *
 * @param[in]     hg   the hypergradient, of type aid
 * @param[out]    fpm  the map, borrowed
 *
 * @raises PETSC_ERR_ARG_WRONG the hypergradient is not aid
 * @raises PETSC_ERR_SUP the problem has folds, and there is one map in each
 * @option{-hg_fpm_type T}
 */
PetscErrorCode HGGetAdjointFPM(HG hg, FPM *fpm);

/**
 * Gives the tape of itd in reverse mode, for further settings.
 *
 * @notcollective
 *
 * @param[in]     hg    the hypergradient, of type itd
 * @param[out]    tape  the tape, borrowed
 *
 * @raises PETSC_ERR_ARG_WRONG the hypergradient is not itd, or in forward mode
 * @raises PETSC_ERR_SUP the problem has folds, and there is one tape in each
 * @option{-tape_type T}
 */
PetscErrorCode HGGetTape(HG hg, Tape *tape);

/**
 * Sets what each HGSolve() tells of the error of its hypergradient. Default: nothing.
 *
 * The bound costs one gradient of the lower level (or one Phi); where the adjoint's map has a state of two
 * vectors one Hessian product more; of itd a norm a step.
 *
 * @logicallycollective
 *
 * @param[in]     hg    the hypergradient
 * @param[in]     what  nothing, a bound, an estimate, or both
 *
 * @option{-hg_certificate none|bound|estimate|both}
 */
PetscErrorCode HGSetCertificate(HG hg, HGCertificate what);
/**
 * Gives what HGSetCertificate() set.
 *
 * @notcollective
 *
 * @param[in]     hg    the hypergradient
 * @param[out]    what  nothing, a bound, an estimate, or both
 */
PetscErrorCode HGGetCertificate(HG hg, HGCertificate *what);
/**
 * Sets the strong convexity that the bound of aid is made of, where the lower level is a loss. Default: the
 * problem's formula.
 *
 * With the least eigenvalue the bound's standing is computed, at the cost of an eigenvalue solve.
 *
 * @logicallycollective
 *
 * @param[in]     hg    the hypergradient
 * @param[in]     mu    formula, or ball
 *
 * @option{-hg_certificate_mu formula|ball}
 */
PetscErrorCode HGSetCertificateMu(HG hg, HGCertificateMu mu);

/**
 * Sets how far the two linear solves of the estimate go: CG where d1Phi is symmetric, else GMRES.
 *
 * With r the residual of the lower level and s that of the adjoint, one solves (I - d1Phi) dw = r, the other
 * a system of the same size for dv. Beside them the estimate costs four products or gradients, and two
 * gradients of E.
 *
 * @logicallycollective
 *
 * @param[in]     hg      the hypergradient
 * @param[in]     rtol    tolerance relative to the right-hand side, in (0, 1)
 * @param[in]     max_it  steps at most in each of the two, at least 1
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE a value is not in its range
 * @option{-hg_estimate_rtol R}
 * @option{-hg_estimate_max_it N}
 */
PetscErrorCode HGSetEstimateTolerances(HG hg, PetscReal rtol, PetscInt max_it);
/**
 * Corrects each hypergradient by the vector that the estimate is the norm of: its error becomes one of second
 * order. The report's norm is that of the corrected one, and so is its bound: the one before plus the
 * vector's norm. A vector longer than twice the bound is known to be wrong and left out.
 *
 * @logicallycollective
 *
 * @param[in]     hg       the hypergradient
 * @param[in]     correct  whether
 *
 * @option{-hg_correct}
 */
PetscErrorCode HGSetCorrect(HG hg, PetscBool correct);
/**
 * Gives whether hypergradients are corrected.
 *
 * @notcollective
 *
 * @param[in]     hg       the hypergradient
 * @param[out]    correct  whether
 */
PetscErrorCode HGGetCorrect(HG hg, PetscBool *correct);
/**
 * Gives the correction that the last estimate is the norm of.
 *
 * @notcollective
 *
 * @param[in]     hg  the hypergradient
 * @param[out]    dg  g + dg is correct to second order, g that before a correction (lambda's layout);
 *                    borrowed, until the next HGSolve()
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE the last HGSolve() has made no estimate
 * @raises PETSC_ERR_SUP the problem has folds: HGFoldsGetHG()
 */
PetscErrorCode HGGetCorrection(HG hg, Vec *dg);

/**
 * Sets the largest problem that exact takes: it makes n products at each Newton step and factors an n x n
 * matrix, n being w's size.
 *
 * @logicallycollective
 *
 * @param[in]     hg    the hypergradient, of type exact
 * @param[in]     size  largest w, entries; the default is 5000
 *
 * @raises PETSC_ERR_ARG_WRONG the hypergradient is not exact
 * @raises PETSC_ERR_ARG_OUTOFRANGE the size is not positive
 * @option{-hg_exact_max_size N}
 */
PetscErrorCode HGExactSetMaxSize(HG hg, PetscInt size);
/**
 * Whether exact takes the problem's closed form, BLPGetExact(), where it has one: of any size, without Newton
 * steps and without an adjoint. Default: yes.
 *
 * @logicallycollective
 *
 * @param[in]     hg    the hypergradient, of type exact
 * @param[in]     use   whether; if not, Newton's method and a direct solve as for other problems
 *
 * @raises PETSC_ERR_ARG_WRONG the hypergradient is not exact
 * @option{-hg_exact_closed_form}
 */
PetscErrorCode HGExactSetClosedForm(HG hg, PetscBool use);
/**
 * Sets what exact solves its dense systems by.
 *
 * @logicallycollective
 *
 * @param[in]     hg      the hypergradient, of type exact
 * @param[in]     solver  auto (the default), lapack or scalapack
 *
 * @raises PETSC_ERR_ARG_WRONG the hypergradient is not exact
 * @raises PETSC_ERR_SUP by HGSetUp(): PETSc was built without ScaLAPACK
 * @option{-hg_exact_solver auto|lapack|scalapack}
 */
PetscErrorCode HGExactSetSolver(HG hg, HGExactSolver solver);

/**
 * Sets a tolerance of the hypergradient's error: aid then chooses its numbers of steps t and k itself.
 *
 * HGSolve() goes on with the lower level and with the adjoint from where they are, and ends once
 * `||g - grad f|| <= max(rtol ||g||, atol)` by the bound, where HGSetCertificate() asks for one, else by the
 * estimate (with -hg_correct that of the error before the correction; the bound is that after it, taken to a
 * third of the tolerance before). Steps go where they are expected to serve most. The most of them are
 * LLSSetTolerances()'s and the KSP's max_it, of all its solves together; where they do not suffice the reason
 * is HG_DIVERGED_ITS. The tolerances of the LLS and the KSP are not used. HGEvaluate() takes the lower level
 * as far as the last HGSolve() did. With folds each fold is held to it, relative to its own hypergradient.
 *
 * @logicallycollective
 *
 * @param[in]     hg    the hypergradient
 * @param[in]     rtol  relative to ||g||, in [0, 1)
 * @param[in]     atol  absolute, finite and not negative; both 0: no tolerance (the default)
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE a value is not in its range
 * @raises PETSC_ERR_SUP by HGSetUp(): the type of hypergradient is not aid; by HGSolve(): there is no bound
 * @option{-hg_tol R}
 * @option{-hg_tol_absolute A}
 */
PetscErrorCode HGSetTolerance(HG hg, PetscReal rtol, PetscReal atol);
/**
 * Gives the tolerance of the hypergradient's error.
 *
 * @notcollective
 *
 * @param[in]     hg    the hypergradient
 * @param[out]    rtol  relative to ||g||; may be NULL, as the other
 * @param[out]    atol  absolute
 */
PetscErrorCode HGGetTolerance(HG hg, PetscReal *rtol, PetscReal *atol);
/**
 * Whether the adjoint's CG also gives the extreme Lanczos values of its operator, at no further product.
 *
 * @logicallycollective
 *
 * @param[in]     hg      aid
 * @param[in]     compute whether; -hg_ksp_type must be cg, without a preconditioner
 *
 * @raises PETSC_ERR_ARG_WRONG the hypergradient is not aid
 * @option{-hg_lanczos}
 */
PetscErrorCode HGAIDSetLanczos(HG hg, PetscBool compute);
/**
 * Extreme Lanczos values of the last adjoint solve: of (I - d1Phi), or of the Hessian where the map is gd,
 * whose I - d1Phi is step times it. They lie inside the spectrum, so L is bounded from below and mu from
 * above; how far they are off is not known, and the error is NaN.
 *
 * @notcollective
 *
 * @param[in]     hg      the hypergradient
 * @param[out]    L       largest value; unknown where none were asked for or CG made no step
 * @param[out]    mu      smallest value; products counts the steps of CG, which were made anyway
 */
PetscErrorCode HGGetLanczos(HG hg, TwofoldConstant *L, TwofoldConstant *mu);
/**
 * Sets where the interval comes from that aid's Chebyshev method (KSPCHEBYSHEV) needs. Default: auto.
 *
 * By formula it is [alpha mu, alpha L] for the map gd with step alpha, and [1 - q, 1 + q] for the problem's
 * own symmetric map, at each lambda anew. Computed, it is that of the preconditioned operator where there is
 * a preconditioner; each solve then costs two eigenvalue solves, to 1e-6 of the largest one and of at most
 * 500 products each, and b is 1 % more than was found. An eigenvalue below a is slow, one above b makes the
 * method diverge. With another KSP it does nothing.
 *
 * @logicallycollective
 *
 * @param[in]     hg        aid
 * @param[in]     interval  auto, formula, computed or ksp
 *
 * @raises PETSC_ERR_ARG_WRONG the hypergradient is not aid
 * @raises PETSC_ERR_SUP by HGSetUp(): formula beside a preconditioner, either beside a PC of the KSP's own or
 * beside the KSP's options of it; by HGSolve(): a constant is unknown, or the operator is not positive
 * definite
 * @raises PETSC_ERR_NOT_CONVERGED by HGSolve(): the largest eigenvalue was not found
 * @option{-hg_chebyshev_interval auto|formula|computed|ksp}
 * @equation{||s_k|| <= 2 rho^k / (1 + rho^(2k)) ||s_0||, rho = (sqrt(b/a) - 1) / (sqrt(b/a) + 1)}
 */
PetscErrorCode HGAIDSetChebyshevInterval(HG hg, HGChebyshevInterval interval);
/**
 * Gives the interval of the last adjoint solve by Chebyshev's method.
 *
 * @notcollective
 *
 * @param[in]     hg  the hypergradient
 * @param[out]    a   its lower end, value less error; unknown where it is the KSP's own, and before the first
 *                    solve
 * @param[out]    b   its upper end, value and error
 */
PetscErrorCode HGGetChebyshevInterval(HG hg, TwofoldConstant *a, TwofoldConstant *b);
/**
 * Makes itd differentiate the last K steps only.
 *
 * @logicallycollective
 *
 * @param[in]     hg  the hypergradient, of type itd
 * @param[in]     K   steps at most (truncated itd); 0: all
 *
 * @raises PETSC_ERR_ARG_WRONG the hypergradient is not itd
 * @raises PETSC_ERR_ARG_OUTOFRANGE K is negative
 * @raises PETSC_ERR_SUP by HGSetUp() and HGSolve(): in forward mode, where a tolerance decides the number of
 * steps
 * @option{-hg_itd_truncate K} which also makes the tape a ring of K states, unless `-tape_type` says
 * otherwise
 */
PetscErrorCode HGITDSetTruncation(HG hg, PetscInt K);

/**
 * Sets which way itd goes through the steps. Default: reverse.
 *
 * Both compute the same numbers. With d entries in w and m in lambda, reverse mode makes t products of each
 * kind and keeps t vectors of w; forward mode makes m t products and keeps a block of vectors
 * (HGITDSetBlock()), whatever t is. It leaves no adjoint, so that there is no estimate of the error
 * (HGSetCertificate()).
 *
 * @logicallycollective
 *
 * @param[in]     hg    the hypergradient, of type itd
 * @param[in]     mode  reverse or forward
 *
 * @raises PETSC_ERR_ARG_WRONG the hypergradient is not itd
 * @option{-hg_itd_mode reverse|forward}
 */
PetscErrorCode HGITDSetMode(HG hg, HGITDMode mode);
/**
 * Gives which way itd goes.
 *
 * @notcollective
 *
 * @param[in]     hg    the hypergradient, of type itd
 * @param[out]    mode  reverse or forward
 *
 * @raises PETSC_ERR_ARG_WRONG the hypergradient is not itd
 */
PetscErrorCode HGITDGetMode(HG hg, HGITDMode *mode);
/**
 * Sets how many columns of the derivative of w in lambda forward mode carries at a time: a state of the lower
 * level's map each.
 *
 * The first block goes along with the lower-level solve; for each of the others the lower level's steps are
 * made once more, at one gradient a step beside the block's products.
 *
 * @logicallycollective
 *
 * @param[in]     hg     the hypergradient, of type itd
 * @param[in]     block  entries of lambda, 0 for all at once; the default is 32
 *
 * @raises PETSC_ERR_ARG_WRONG the hypergradient is not itd
 * @raises PETSC_ERR_ARG_OUTOFRANGE negative
 * @option{-hg_itd_block B}
 */
PetscErrorCode HGITDSetBlock(HG hg, PetscInt block);

/** Where a hypergradient is when its stop hook is asked. */
typedef enum {
  HG_STAGE_LOWER,   /**< behind a step of the lower level, or before a product of one */
  HG_STAGE_ADJOINT, /**< before a product of the adjoint's solve */
  HG_STAGE_REVERSE, /**< before a step of itd's sweep behind the lower level */
  HG_STAGE_POINT    /**< an upper solver has shown the point to its monitors */
} HGStage;
/**
 * Asked whether a hypergradient is to end; every rank of hg must set `*stop` alike. All ranks of hg ask
 * equally often and in the same order, but the ranks of another fold need not.
 *
 * @collective
 *
 * @param[in]     hg     the hypergradient, or that of a fold
 * @param[in]     stage  where it is
 * @param[out]    stop   whether to end it, by HG_STOPPED; false on entry. An upper solver then ends by
 * ULS_STOPPED
 * @param[in]     ctx    of HGSetStop()
 */
typedef PetscErrorCode (*HGStopFn)(HG hg, HGStage stage, PetscBool *stop, void *ctx);

/**
 * Sets a hook that may end a hypergradient in the middle: asked at each step of the lower level, each product
 * of the adjoint's Krylov method and each step of itd's sweep. It is not asked between steps that a problem
 * makes at once, nor by direct solves, certificates and estimates. What HGAccept() accepted stays as it was.
 *
 * @logicallycollective
 *
 * @param[in]     hg    the hypergradient
 * @param[in]     stop  the hook; NULL: none
 * @param[in]     ctx   handed to it; stays the caller's
 */
PetscErrorCode HGSetStop(HG hg, HGStopFn stop, void *ctx);

/**
 * Computes f = E(w_t(lambda), lambda) and the hypergradient.
 *
 * The lower level starts from w_0 = 0, or with `-lls_warm_start` from the accepted state (HGAccept()). Ends
 * with a reason; where the reason is HG_DIVERGED_LOWER, HG_DIVERGED_ADJOINT or HG_STOPPED, g is not to be
 * used.
 *
 * @collective
 *
 * @param[in]     hg      the hypergradient
 * @param[in]     lambda  hyperparameters
 * @param[out]    f       objective; infinite where the lower level diverged or the solve was stopped
 * @param[out]    g       hypergradient (lambda's layout)
 *
 * @raises PETSC_ERR_ARG_INCOMP itd: the tape no longer has a state that the reverse sweep needs
 * @option{-hg_converged_reason} prints the reason
 * @equation{g = grad2 E + w'(lambda)^T grad1 E}
 */
PetscErrorCode HGSolve(HG hg, Vec lambda, PetscReal *f, Vec g);

/**
 * Computes f alone: no tape, no adjoint.
 *
 * @collective
 *
 * @param[in]     hg      the hypergradient
 * @param[in]     lambda  hyperparameters
 * @param[out]    f       objective, as of HGSolve()
 */
PetscErrorCode HGEvaluate(HG hg, Vec lambda, PetscReal *f);

/**
 * Gives why the last HGSolve() or HGEvaluate() ended.
 *
 * @notcollective
 *
 * @param[in]     hg      the hypergradient
 * @param[out]    reason  the reason, HG_ITERATING before the first
 */
PetscErrorCode HGGetConvergedReason(HG hg, HGConvergedReason *reason);

/**
 * Gives what the last HGSolve() or HGEvaluate() did.
 *
 * @notcollective
 *
 * @param[in]     hg      the hypergradient
 * @param[out]    report  a copy
 */
PetscErrorCode HGGetReport(HG hg, HGReport *report);

/**
 * Gives the lower state of the last solve.
 *
 * @notcollective
 *
 * @param[in]     hg  the hypergradient
 * @param[out]    x   the state, borrowed; `v[0]` is w
 *
 * @raises PETSC_ERR_SUP the problem has folds: HGFoldsGetHG()
 */
PetscErrorCode HGGetState(HG hg, State *x);

/**
 * Gives the adjoint's v of the last HGSolve() (aid, exact).
 *
 * @notcollective
 *
 * @param[in]     hg  the hypergradient
 * @param[out]    v   the state, borrowed; NULL before the first solve, with itd, and of an exact closed form
 *
 * @raises PETSC_ERR_SUP the problem has folds: HGFoldsGetHG()
 */
PetscErrorCode HGGetAdjoint(HG hg, State *v);

/**
 * Measures the model of the last HGSolve() or HGEvaluate() on a set of samples.
 *
 * Where the problem has folds the loss is the mean of the folds' losses, the accuracy that of all samples,
 * and n counts the validation samples of all folds, the training samples of the largest one.
 *
 * @collective
 *
 * @param[in]     hg       the hypergradient
 * @param[in]     set      training, validation or test samples
 * @param[in]     lambda   the point of that solve
 * @param[out]    metrics  loss and accuracy
 *
 * @raises PETSC_ERR_ARG_WRONG the problem has no such set
 * @raises PETSC_ERR_ARG_WRONGSTATE nothing was solved yet
 */
PetscErrorCode HGMeasure(HG hg, BLPSet set, Vec lambda, BLPMetrics *metrics);

/**
 * Gives the hypergradient of one fold, for settings that the options and the parent do not carry, and for its
 * state and adjoint.
 *
 * HGSolve() on a problem with folds solves each with a child of its own. Children have the parent's type and
 * prefix, and the options where HGSetFromOptions() was called; HGSetType() gives the parent new ones. The
 * parent's lower-level tolerances and warm starts, and its KSP's type (aid; when the children are made) and
 * tolerances, are the children's at each solve. It sets up the problem.
 *
 * @collective
 *
 * @param[in]     hg     the hypergradient
 * @param[in]     fold   0 .. F - 1
 * @param[out]    child  the fold's, borrowed; NULL on the ranks of other groups
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE there is no problem
 * @raises PETSC_ERR_ARG_OUTOFRANGE there is no such fold
 */
PetscErrorCode HGFoldsGetHG(HG hg, PetscInt fold, HG *child);

/**
 * Compares the hypergradient at lambda, by this object's settings (t, k, truncation, warm starts), with
 * directional differences of f at several steps, which start from the same accepted state, and prints them
 * with what they mean. For aid and truncated itd the difference is the method's own error.
 *
 * @collective
 *
 * @param[in] hg     the hypergradient
 * @param[in] lambda hyperparameters
 * @param[in] viewer ASCII viewer; NULL: silent
 *
 * @raises PETSC_ERR_USER the whole itd after a fixed number of steps, or exact, is not the gradient of f
 * @raises PETSC_ERR_SUP the problem has folds: HGFoldsGetHG()
 * @option{-hg_test}
 */
PetscErrorCode HGTest(HG hg, Vec lambda, PetscViewer viewer);

/**
 * Makes the last solve's states the ones that warm starts begin with. Upper solvers call it when they accept
 * a point; a line search's trials never become starts.
 *
 * @collective
 *
 * @param[in]     hg  the hypergradient
 *
 * @option{-lls_warm_start}
 * @option{-hg_warm_start}
 */
PetscErrorCode HGAccept(HG hg);

/**
 * Writes the accepted states, and the computed constants of an optimal step, to a file.
 *
 * @collective
 *
 * @param[in]     hg      the hypergradient
 * @param[in]     viewer  HDF5 viewer, for writing
 */
PetscErrorCode HGSaveState(HG hg, PetscViewer viewer);

/**
 * Takes the accepted states, and the computed constants of an optimal step, from a file.
 *
 * @collective
 *
 * @param[in]     hg      the hypergradient, with the settings of the one that wrote them
 * @param[in]     viewer  HDF5 viewer, for reading
 *
 * @raises PETSC_ERR_FILE_UNEXPECTED the file lacks a state, or has it with another length or number of folds
 */
PetscErrorCode HGRestoreState(HG hg, PetscViewer viewer);

/**
 * Gives the bytes this rank needs beside the problem's. Sets the object up where that is still to be done; it
 * is not collective after that.
 *
 * @collective
 *
 * @param[in]     hg     the hypergradient
 * @param[out]    bytes  memory of this rank, bytes
 */
PetscErrorCode HGGetMemory(HG hg, PetscLogDouble *bytes);

/**
 * Adds a type of hypergradient.
 *
 * @notcollective
 *
 * @param[in]     type    its name; copied
 * @param[in]     create  fills the table of operations and the data of a hypergradient that becomes of this
 * type
 */
PetscErrorCode HGRegister(const char type[], PetscErrorCode (*create)(HG));

/**
 * Gives the names of all registered types.
 *
 * @notcollective
 *
 * @param[out]    n      their number
 * @param[out]    types  their names; free the array (not the names) with PetscFree()
 */
PetscErrorCode HGGetRegistered(PetscInt *n, const char ***types);

#if defined(__cplusplus)
}
#endif
#endif
