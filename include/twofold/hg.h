#ifndef TWOFOLD_HG_H
#define TWOFOLD_HG_H
/* HG: f(lambda) = E(w(lambda), lambda) and its hypergradient. */
#include <twofold/lls.h>
#include <twofold/tape.h>
#include <petscksp.h>

#if defined(__cplusplus)
extern "C" {
#endif

typedef struct _p_HG *HG;
typedef const char *HGType;
#define HGITD "itd" /* iterative differentiation: the tape of iterates, run backwards */
#define HGAID "aid" /* approximate implicit differentiation: (I - d1Phi^T) v = grad1 E by a KSP */

typedef enum {
  HG_CONVERGED_ITS = 1,  /* the fixed numbers of steps t and k were made */
  HG_CONVERGED_RTOL = 2, /* all tolerances asked for were reached */
  HG_ITERATING = 0,
  HG_DIVERGED_ITS = -1,      /* finite, but a tolerance was not reached within the steps allowed */
  HG_DIVERGED_NANORINF = -2, /* f or the hypergradient is not finite */
  HG_DIVERGED_LOWER = -3,    /* the lower level diverged: see the LLS reason */
  HG_DIVERGED_ADJOINT = -4,  /* the adjoint solve failed: see the KSP reason */
  HG_STOPPED = -5            /* the lower level's stop hook asked for it */
} HGConvergedReason;
extern const char *const *HGConvergedReasons;

/* What the last HGSolve() did. Of folds: the worst reason, with the other reasons of the first fold that has
   it; steps of all folds together; the largest residual, change and times. */
typedef struct {
  HGConvergedReason reason;
  LLSConvergedReason lower_reason;
  KSPConvergedReason adjoint_reason; /* 0 with itd */
  PetscInt lower_its;
  PetscInt adjoint_its;       /* KSP iterations, or reverse steps of itd */
  PetscReal adjoint_residual; /* ||grad1 E - (I - d1Phi^T) v|| / ||grad1 E||, recomputed; -1 with itd */
  PetscReal lower_change;     /* ||Phi(x) - x|| of the last step, -1 where not computed */
  PetscReal norm;             /* ||hypergradient|| */
  PetscLogDouble lower_time, adjoint_time; /* s, this rank */
} HGReport;

PetscErrorCode HGCreate(MPI_Comm comm, HG *hg);
PetscErrorCode HGDestroy(HG *hg);
PetscErrorCode HGSetOptionsPrefix(HG hg, const char prefix[]);
/* Option -hg_type. Logically collective. */
PetscErrorCode HGSetType(HG hg, HGType type);
PetscErrorCode HGGetType(HG hg, HGType *type);
PetscErrorCode HGSetBLP(HG hg, BLP blp);
PetscErrorCode HGSetFromOptions(HG hg);
PetscErrorCode HGSetUp(HG hg);
PetscErrorCode HGView(HG hg, PetscViewer viewer);

/* Children, for further settings; those of a type that is not in use are refused with PETSC_ERR_ARG_WRONG. */
PetscErrorCode HGGetBLP(HG hg, BLP *blp);
PetscErrorCode HGGetLLS(HG hg, LLS *lls);
PetscErrorCode HGGetKSP(HG hg, KSP *ksp);        /* aid */
PetscErrorCode HGGetAdjointFPM(HG hg, FPM *fpm); /* aid */
PetscErrorCode HGGetTape(HG hg, Tape *tape);     /* itd */
/**
 * Whether the adjoint's CG also gives the extreme Lanczos values of its operator, at no further product.
 *
 * @logicallycollective
 *
 * @param[in]     hg      aid
 * @param[in]     compute whether; -hg_ksp_type must be cg, without a preconditioner
 *
 * @raises{PETSC_ERR_ARG_WRONG, the hypergradient is not aid}
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
/* itd through the last K steps only (truncated; 0: all): -hg_itd_truncate. */
PetscErrorCode HGITDSetTruncation(HG hg, PetscInt K);

/* f = E(w_t(lambda), lambda) and the hypergradient g (lambda's layout). The lower level starts from w_0 = 0,
   or with -lls_warm_start from the accepted state. Ends with a reason; where the reason is HG_DIVERGED_LOWER,
   _ADJOINT or HG_STOPPED, g is not to be used. Collective. */
PetscErrorCode HGSolve(HG hg, Vec lambda, PetscReal *f, Vec g);
/* f alone: no tape, no adjoint. Collective. */
PetscErrorCode HGEvaluate(HG hg, Vec lambda, PetscReal *f);
PetscErrorCode HGGetConvergedReason(HG hg, HGConvergedReason *reason);
PetscErrorCode HGGetReport(HG hg, HGReport *report);
/* Lower state of the last solve, and the adjoint's v (aid; NULL before the first solve); borrowed. Raise
   PETSC_ERR_SUP where the problem has folds. */
PetscErrorCode HGGetState(HG hg, State *x);
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
 * @raises{PETSC_ERR_ARG_WRONG, the problem has no such set}
 * @raises{PETSC_ERR_ARG_WRONGSTATE, nothing was solved yet}
 */
PetscErrorCode HGMeasure(HG hg, BLPSet set, Vec lambda, BLPMetrics *metrics);

/**
 * Gives the hypergradient of one fold, for settings that the options and the parent do not carry, and for its
 * state and adjoint.
 *
 * HGSolve() on a problem with folds solves each with a child of its own. Children have the parent's type and
 * prefix, and the options where HGSetFromOptions() was called; HGSetType() gives the parent new ones. The
 * parent's lower-level tolerances and warm starts, and its KSP's type (aid; when the children are made) and
 * tolerances, are the children's at each solve.
 *
 * @collective (it sets up the problem)
 *
 * @param[in]     hg     the hypergradient
 * @param[in]     fold   0 .. F - 1
 * @param[out]    child  the fold's, borrowed; NULL on the ranks of other groups
 *
 * @raises{PETSC_ERR_ARG_OUTOFRANGE, there is no such fold}
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
 * @raises{PETSC_ERR_USER, the whole itd after a fixed number of steps is not the gradient of f}
 * @option{-hg_test}
 */
PetscErrorCode HGTest(HG hg, Vec lambda, PetscViewer viewer);

/* Makes the last solve's states the ones that warm starts begin with. Upper solvers call it when they accept
   a point; a line search's trials never become starts. Collective. */
PetscErrorCode HGAccept(HG hg);
/* Writes the accepted states to an HDF5 viewer, or takes them from it. Collective. */
PetscErrorCode HGSaveState(HG hg, PetscViewer viewer);
PetscErrorCode HGRestoreState(HG hg, PetscViewer viewer);

/* Bytes this rank needs beside the problem's. Not collective. */
PetscErrorCode HGGetMemory(HG hg, PetscLogDouble *bytes);

PetscErrorCode HGRegister(const char type[], PetscErrorCode (*create)(HG));
PetscErrorCode HGGetRegistered(PetscInt *n, const char ***types);

#if defined(__cplusplus)
}
#endif
#endif
