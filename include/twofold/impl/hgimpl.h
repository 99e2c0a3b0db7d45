#ifndef TWOFOLD_HGIMPL_H
#define TWOFOLD_HGIMPL_H
#include <twofold/blpsweep.h>
#include <twofold/hg.h>
#include <twofold/impl/sysimpl.h>
#include <twofold/precond.h>

extern PetscClassId HG_CLASSID;

/* The vectors warm starts begin from, with their names in a file; borrowed. */
typedef struct {
  PetscInt n;
  Vec v[2 * STATE_MAX];
  char name[2 * STATE_MAX][16];
} HGKept;

struct _HGOps {
  PetscErrorCode (*setfromoptions)(HG, PetscOptionItems *);
  PetscErrorCode (*setup)(HG);
  /* where the type solves the lower level itself: hg->x, and lower_reason, lower_its and lower_change of the
     report; NULL: the LLS does */
  PetscErrorCode (*lower)(HG, Vec lambda);
  /* record: called before the lower-level solve, to install its hook; may be NULL */
  PetscErrorCode (*prepare)(HG, Vec lambda);
  /* from grad1 E (hg->g1) and the state hg->x: g += the implicit part; sets the report's adjoint fields */
  PetscErrorCode (*adjoint)(HG, Vec lambda, Vec g);
  PetscErrorCode (*accept)(HG);
  /* adds the accepted vectors of the type; with `make` they are made, to be filled from a file */
  PetscErrorCode (*kept)(HG, PetscBool make, HGKept *);
  PetscErrorCode (*adjointmap)(HG, FPM *); /* where the type has a map of its own */
  /* sets hg->report.bound after a solve that ended finite; NULL: the type has no certificate */
  PetscErrorCode (*certify)(HG, Vec lambda);
  /* for the estimate: the adjoint's map and the first vector of a v near its solution at hg->x, NULL before
     a solve; borrowed. NULL: the type has none */
  PetscErrorCode (*firstadjoint)(HG, FPM *, Vec *v);
  /* for a tolerance of the hypergradient: the adjoint solve at hg->x, hg->g1 until ||s|| <= target, or
     <= reduction ||grad1 E|| where that is more, by max_it steps at most, which the report adds up; from
     where a solve begins, or on from v, whose first vector is `better` where that is not NULL. NULL: the type
     has none */
  PetscErrorCode (*approach)(HG, Vec lambda, PetscBool resume, Vec better, PetscReal target,
                             PetscReal reduction, PetscInt max_it);
  PetscErrorCode (*precond)(HG, Precond *); /* the one in use, where the type has one; borrowed */
  PetscErrorCode (*view)(HG, PetscViewer);
  PetscErrorCode (*memory)(HG, PetscLogDouble *);
  PetscErrorCode (*destroy)(HG);
};

/* The folds of a problem that has them: the children of this rank's group (see BLPFolds). */
typedef struct {
  PetscInt F, G, group, nlocal;
  HG *child;
  Vec lambda, g, sum; /* in the children's layout: the point, one gradient, their sum */
  Vec stacked;        /* on the parent's communicator, the groups' lambda behind each other */
  VecScatter scatter; /* from the parent's lambda to it */
} HGFolds;

/* What an operator is, for sweepcg and fixedpoint: I - d1Phi^T of a map on flat vectors, and a multiple of
   the Hessian of the loss at the problem's point of linearisation. */
typedef struct {
  BLP blp; /* NULL: of no loss */
  PetscReal scale;
  FPM fpm;
  State view[2];      /* to be laid over flat vectors */
  PetscReal residual; /* of the last solve, ||b - A v|| recomputed; -1: not known */
  PetscInt *products; /* counter of its products: one more a step */
  HG hg;              /* asked whether to stop */
} HGSweepOperator;

/* A pair of the state's w and lambda, as long as both stay what they are. */
typedef struct {
  TwofoldSeen seen[2];
} HGPoint;

/* What the estimate of the error is made with: estimate.c alone looks into it. */
typedef struct _n_HGEstimate *HGEstimate;

struct _p_HG {
  PETSCHEADER(struct _HGOps);
  void *data;
  BLP blp;
  LLS lls;
  PetscBool warm_start; /* of the adjoint */
  PetscBool setup, print_reason, monitor;
  PetscBool test, tested, problem_tested; /* -hg_test; what the first solve has done */
  State x;                                /* of the last solve */
  State accepted;                         /* where warm starts begin; only with -lls_warm_start */
  Vec g1;                                 /* grad1 E at x */
  State v;                                /* adjoint; set by types that have one */
  HGCertificate certificate;
  HGCertificateMu certificate_mu;
  HGEstimate estimate;     /* made by the first one */
  PetscReal estimate_rtol; /* of its inner solves */
  PetscInt estimate_max_it;
  PetscBool correct; /* the hypergradient by the estimate's vector */
  Vec r;             /* Phi(w) - w at the point r_at; made where it is asked for */
  HGPoint r_at;
  Vec g2;               /* grad2 E at x, where the estimate is wanted */
  PetscReal rtol, atol; /* of the hypergradient; both 0: none */
  PetscReal reached;    /* ||Phi(w) - w|| that the last one left; 0: there is none */
  struct {              /* of the bound or the estimate that a tolerance goes by */
    PetscReal lower, adjoint, per_s;
  } parts;
  HGStopFn stop;
  void *stopctx;
  PetscBool stopped; /* it has said so in this solve */
  HGReport report;
  HGFolds *folds;         /* NULL where the problem has none */
  PetscBool from_options; /* so are the children */
  PetscBool is_fold;      /* a child: the parent does the talking */
};

/* The options prefix, never NULL. */
static inline const char *HGPrefix_Private(HG hg)
{
  return ((PetscObject)hg)->prefix ? ((PetscObject)hg)->prefix : "";
}

/* hg.c: asks the stop hook; *stop stays true to the end of the solve. Collective. */
PetscErrorCode HGPoll_Private(HG hg, HGStage stage, PetscBool *stop);

/* Adds a state's vectors: `name`, then name_prev1, ... */
PetscErrorCode HGKeptAdd_Private(HGKept *kept, const char name[], State x);

/* folds.c: an HG whose problem has folds. */
PetscErrorCode HGCreateFolds_Private(HG hg);
PetscErrorCode HGDestroyFolds_Private(HG hg);
PetscErrorCode HGSetUpFolds_Private(HG hg);
PetscErrorCode HGSetFromOptionsFolds_Private(HG hg);
PetscErrorCode HGSolveFolds_Private(HG hg, Vec lambda, PetscReal *f, Vec g); /* g NULL: f alone */
PetscErrorCode HGAcceptFolds_Private(HG hg);
PetscErrorCode HGSaveStateFolds_Private(HG hg, PetscViewer viewer);
PetscErrorCode HGRestoreStateFolds_Private(HG hg, PetscViewer viewer);
PetscErrorCode HGViewFolds_Private(HG hg, PetscViewer viewer);
PetscErrorCode HGMeasureFolds_Private(HG hg, BLPSet set, Vec lambda, BLPMetrics *metrics);
PetscErrorCode HGGetMemoryFolds_Private(HG hg, PetscLogDouble *bytes);
PetscErrorCode HGCheckOneLevel_Private(HG hg, const char what[]); /* refuses where there are folds */
/* hg.c: x <- where the lower level begins: 0, or the accepted state. */
PetscErrorCode HGGetStart_Private(HG hg, State x);
/* hg.c: the accepted vectors; with `make` those that are missing are made. */
PetscErrorCode HGGetKept_Private(HG hg, PetscBool make, HGKept *kept);
/* The computed constants of a map's optimal step, in checkpoints: a resumed run must keep them. Does nothing
   for other maps. Collective. */
PetscErrorCode HGSaveConstants_Private(FPM fpm, PetscViewer viewer);
PetscErrorCode HGRestoreConstants_Private(FPM fpm, PetscViewer viewer);

/* certificate.c. An error bound that there is none of, and why: a string that is never freed. */
TwofoldConstant HGNoBound_Private(const char why[]);
/* An error bound of this value and standing; an unknown one is named by what is missing. */
TwofoldConstant HGMakeBound_Private(PetscReal value, TwofoldStanding standing, const char missing[]);
PetscBool HGWantsBound_Private(HG hg);
/* *r = Phi(w) - w at the state's w, of the problem's own map, or of w - grad_w l; borrowed. Computed once at
   each point: *products (with a gradient or a Phi) is 1 or 0. */
PetscErrorCode HGGetLowerResidual_Private(HG hg, Vec lambda, PetscBool map, Vec *r, PetscInt *products);
PetscErrorCode HGGetPoint_Private(HG hg, Vec lambda, HGPoint *point);
/* Whether the point is another one now, on any rank. Collective. */
PetscErrorCode HGHasMoved_Private(HG hg, Vec lambda, const HGPoint *point, PetscBool *moved);
/* HGReport.bound after a solve, where it is asked for. */
PetscErrorCode HGComputeBound_Private(HG hg, Vec lambda);
/* For the op certify: of an adjoint hg->v of fpm, which is linearised at hg->x and has left the report's
   residual; of a derivative through the last K of the lower level's t steps, with the norms of these t steps.
 */
PetscErrorCode HGCertifyAdjoint_Private(HG hg, Vec lambda, FPM fpm);
PetscErrorCode HGCertifySteps_Private(HG hg, Vec lambda, PetscInt K);

/* estimate.c: HGReport.estimate after a solve, where it is asked for, and g corrected by it. Before the
   adjoint, HGKeepUpper_Private() keeps a copy of grad2 E for it. */
void HGBeginEstimate_Private(HG hg); /* of the next solve */
PetscBool HGWantsEstimate_Private(HG hg);
PetscErrorCode HGKeepUpper_Private(HG hg, Vec g2);
PetscErrorCode HGComputeEstimate_Private(HG hg, Vec lambda, Vec g);
PetscErrorCode HGCorrect_Private(HG hg, Vec g);
/* The estimate for a tolerance, with inner solves to rtol, and its parts: what v + dv leaves, what dv makes,
   and that by the norm of its right-hand side. Again: of another g at this lambda, against what the last one
   corrected its g to, which is no nearer than `least`. */
PetscErrorCode HGQuickEstimate_Private(HG hg, Vec lambda, Vec g, PetscReal rtol);
PetscErrorCode HGEstimateAgain_Private(HG hg, Vec g, PetscReal least);
/* v + dv of the last quick estimate, where it has not been asked for, in terms of the adjoint's map, first
   vector; borrowed, NULL where there is none. */
PetscBool HGEstimateIsBetter_Private(HG hg);
PetscErrorCode HGEstimateGetAdjoint_Private(HG hg, Vec *v);
PetscErrorCode HGDestroyEstimate_Private(HG hg);
PetscErrorCode HGEstimateAddMemory_Private(HG hg, PetscLogDouble *bytes);
PetscErrorCode HGEstimateFromOptions_Private(HG hg, PetscOptionItems *PetscOptionsObject);

/* forward.c: itd in forward mode, by so many columns at a time and through so many steps (0: all). Prepare
   hooks the first ones up to the lower-level solve at lambda, Add computes the others after it and adds w'^T
   grad1 E to g. */
typedef struct _n_HGForward *HGForward;
PetscErrorCode HGForwardCreate_Private(HG hg, PetscInt block, PetscInt truncate, HGForward *forward);
PetscErrorCode HGForwardDestroy_Private(HGForward *forward);
PetscErrorCode HGForwardPrepare_Private(HGForward forward, Vec lambda);
PetscErrorCode HGForwardAdd_Private(HGForward forward, Vec g);
PetscErrorCode HGForwardAddMemory_Private(HGForward forward, PetscLogDouble *bytes);

/* tolerance.c: whether one of the hypergradient was set, and a solve or evaluation that is held to it. */
static inline PetscBool HGHasTolerance_Private(HG hg)
{
  return (PetscBool)(hg->rtol > 0 || hg->atol > 0);
}
PetscErrorCode HGToleranceFromOptions_Private(HG hg, PetscOptionItems *PetscOptionsObject);
PetscErrorCode HGCheckTolerance_Private(HG hg);
PetscErrorCode HGViewTolerance_Private(HG hg, PetscViewer viewer);
PetscErrorCode HGSolveToTolerance_Private(HG hg, Vec lambda, PetscReal *f, Vec g);
PetscErrorCode HGEvaluateToTolerance_Private(HG hg, Vec lambda, PetscReal *f);
/* hg.c: hg->x <- HGGetStart_Private(), with the constants that an optimal step may wait for. */
PetscErrorCode HGStartLower_Private(HG hg, Vec lambda);

/* adjointksp.c: refuse a KSP that needs a symmetric d1Phi which fpm has not, and one that solves no system.
 */
PetscErrorCode HGCheckKSPSymmetry_Private(HG hg, KSP ksp, FPM fpm);
PetscErrorCode HGCheckKSPSolves_Private(HG hg, KSP ksp);
/* KSPSolve(), whatever ends it. */
PetscErrorCode HGKSPSolve_Private(KSP ksp, Vec b, Vec x);

/* lanczos.c: makes a CG keep what its Lanczos values are made of; the extreme ones after its steps, left
   alone where there are none; what stands for none. */
PetscErrorCode HGLanczosSetUp_Private(HG hg, KSP ksp);
PetscErrorCode HGLanczosGet_Private(KSP ksp, FPM fpm, PetscInt its, TwofoldConstant *largest,
                                    TwofoldConstant *smallest);
TwofoldConstant HGLanczosNone_Private(void);

/* chebyshev.c: the interval of aid's chebyshev. */
typedef struct {
  HGChebyshevInterval source;
  PetscBool own;             /* the KSP's options give it one */
  PetscBool on, ours;        /* the KSP is chebyshev; its interval is not the KSP's own */
  PetscBool told;            /* the KSP has one of ours */
  TwofoldConstant low, high; /* of the last solve */
  PetscInt last;             /* step after which PETSc's recurrence overflows */
} HGChebyshev;
TwofoldConstant HGChebyshevNone_Private(void);
PetscErrorCode HGChebyshevFromOptions_Private(HGChebyshev *cheb, KSP ksp,
                                              PetscOptionItems *PetscOptionsObject);
/* Refuses an interval that cannot be; before KSPSetUp(). */
PetscErrorCode HGChebyshevSetUp_Private(HG hg, HGChebyshev *cheb, KSP ksp, Precond precond);
/* The interval of A, which is linearised at a point with lambda, to the KSP. */
PetscErrorCode HGChebyshevPrepare_Private(HG hg, HGChebyshev *cheb, KSP ksp, Mat A, FPM fpm, Precond precond,
                                          Vec lambda);
PetscErrorCode HGChebyshevView_Private(const HGChebyshev *cheb, PetscViewer viewer);

/* At the first solve: -blp_test_derivatives at lambda, and -hg_test on its f and g. */
PetscErrorCode HGTestProblem_Private(HG hg, Vec lambda);
PetscErrorCode HGTestGradient_Private(HG hg, Vec lambda, PetscReal f, Vec g);

PetscErrorCode HGCreate_ITD(HG hg);
PetscErrorCode HGCreate_AID(HG hg);
PetscErrorCode HGCreate_Exact(HG hg);

/* sweepcg.c: tells sweepcg what the operator is; `sweep` must live as long as it. */
PetscErrorCode HGSweepOperator_Private(Mat A, HGSweepOperator *sweep);
/* NULL where the operator tells of nothing. */
PetscErrorCode HGGetSweepOperator_Private(Mat A, HGSweepOperator **sweep);
PetscErrorCode KSPCreate_SweepCG(KSP ksp);
/* fixedpoint.c */
PetscErrorCode KSPCreate_FixedPoint(KSP ksp);
/* cgnr.c */
PetscErrorCode KSPCreate_CGNR(KSP ksp);

#endif
