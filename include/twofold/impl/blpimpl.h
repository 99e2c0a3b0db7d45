#ifndef TWOFOLD_BLPIMPL_H
#define TWOFOLD_BLPIMPL_H
#include <petscmat.h>
#include <twofold/blpconstants.h>
#include <twofold/impl/featurematimpl.h>
#include <twofold/impl/groupimpl.h>
#include <twofold/impl/sysimpl.h>

extern PetscClassId BLP_CLASSID;

struct _BLPOps {
  PetscErrorCode (*setfromoptions)(BLP, PetscOptionItems *);
  PetscErrorCode (*setup)(BLP); /* from set[]; sets nlambda, nw and the layouts */
  PetscErrorCode (*view)(BLP, PetscViewer);
  PetscErrorCode (*destroy)(BLP);
  PetscErrorCode (*createvecs)(BLP, Vec *, Vec *);
  PetscErrorCode (*upper)(BLP, Vec, Vec, PetscReal *, Vec, Vec);
  PetscErrorCode (*start)(BLP, Vec lambda); /* optional: fills a start, also of a tied lambda; else it is 0 */
  /* optional: w(lambda), f and its gradient in closed form; w and the gradient may be NULL */
  PetscErrorCode (*exact)(BLP, Vec lambda, Vec w, PetscReal *f, Vec g);
  PetscErrorCode (*lossgradient)(BLP, Vec, Vec, PetscReal *, Vec);
  PetscErrorCode (*losslinearize)(BLP, Vec, Vec);
  PetscErrorCode (*losshessian)(BLP, Vec, Vec);
  PetscErrorCode (*losshessiandiagonal)(BLP, Vec); /* optional, as are the constants below */
  PetscErrorCode (*losscross)(BLP, Vec, Vec);
  PetscErrorCode (*losscrosstranspose)(BLP, Vec, Vec);
  PetscErrorCode (*strongconvexity)(BLP, Vec, TwofoldConstant *);
  PetscErrorCode (*smoothness)(BLP, Vec, TwofoldConstant *);
  PetscErrorCode (*strongconvexitygradient)(BLP, Vec lambda, Vec g);
  PetscErrorCode (*smoothnessgradient)(BLP, Vec lambda, Vec g);
  /* all unknown on entry; within the ball ||w' - w|| <= radius */
  PetscErrorCode (*losslipschitz)(BLP, Vec lambda, Vec w, PetscReal radius, BLPLipschitz *);
  /* nu1 and nu2 of what acts on v, where less than nu1 ||v|| and nu2 ||v|| is known; these on entry */
  PetscErrorCode (*losslipschitzalong)(BLP, Vec lambda, Vec w, PetscReal radius, Vec v, TwofoldConstant *nu1,
                                       TwofoldConstant *nu2);
  /* a lower level is a loss (lossgradient and its like), a map (mapapply and its like), or both */
  PetscErrorCode (*mapapply)(BLP, Vec lambda, Vec w, Vec y);
  PetscErrorCode (*mapsteps)(BLP, Vec lambda, PetscInt n,
                             Vec w); /* optional: w <- Phi(... Phi(w)), n times */
  PetscErrorCode (*mapadjointsteps)(BLP, Vec b, PetscInt n,
                                    Vec v); /* optional: v <- d1Phi^T v + b, n times */
  /* optional: a step of BLPMapNormalStep(), with sums over this rank's entries alone */
  PetscErrorCode (*mapnormalstep)(BLP, BLPNormalStep *, Vec v, Vec r, Vec p, Vec z);
  PetscErrorCode (*maplinearize)(BLP, Vec lambda, Vec w);
  PetscErrorCode (*mapjvp)(BLP, Vec, Vec);
  PetscErrorCode (*mapvjp)(BLP, Vec, Vec);
  PetscErrorCode (*mapparameterjvp)(BLP, Vec, Vec);
  PetscErrorCode (*mapparametervjp)(BLP, Vec, Vec);
  /* optional, both or none: keeps d2Phi^T v in a sum; gives the sum and begins a new one */
  PetscErrorCode (*mapparametersum)(BLP, Vec v);
  PetscErrorCode (*mapparametertakesum)(BLP, Vec g);
  PetscErrorCode (*contraction)(BLP, Vec, TwofoldConstant *);
  PetscErrorCode (*maplipschitz)(BLP, Vec lambda, Vec w, PetscReal radius, BLPLipschitz *);
  PetscErrorCode (*evaluate)(BLP, BLPSet, Vec, Vec, BLPMetrics *);
  PetscErrorCode (*diagnose)(BLP, Vec lambda, Vec w,
                             PetscReal values[]); /* one for each of blp->diagnostics */
  PetscErrorCode (*memory)(BLP, PetscLogDouble *);
  /* a model: what the type itself needs beside `like`, the same read back (sets nlambda, nw and the layouts),
     and the class probabilities and metrics of samples that conform to it */
  PetscErrorCode (*savemodel)(BLP, TwofoldGroup);
  PetscErrorCode (*loadmodel)(BLP, TwofoldGroup);
  PetscErrorCode (*predict)(BLP, DataSet, Vec, Vec, Vec *, BLPMetrics *);
};

/* Cross-validation: the children of this rank's group, a problem a fold. Folds go round the groups: group g
   has the folds g, g + G, ... */
typedef struct {
  PetscInt F, G;         /* folds (0: none); groups of consecutive ranks, of which this rank's is `group` */
  PetscInt group;        /* set by BLPSetUp(), as is all below */
  MPI_Comm comm;         /* of the group; the parent's own where there is one group */
  PetscInt nlocal;       /* children */
  BLP *child;            /* NULL before set-up */
  struct _BLPOps single; /* the type's own table: a folded problem has one that refuses */
  PetscBool from_options;
} BLPFolds;

/* The loss sum_i phi_i(x_i W) + <W, D W> / 2 of a problem that has this form; filled at its set-up. */
typedef struct {
  FeatureMat X;    /* of the training samples, borrowed; NULL: it has not */
  FeatureMat Xval; /* of the validation samples, likewise */
  const PetscReal *weight;
  const PetscReal *rate;                      /* its derivatives: of each weight in its lambda; NULL: 1 */
  PetscInt share;                             /* D, as in FeatureMatDiagonal */
  PetscErrorCode (*weights)(BLP, Vec lambda); /* sets it */
  PetscErrorCode (*slope)(BLP, Vec Z);        /* Z_i <- grad phi_i(Z_i) */
  PetscErrorCode (*curvature)(BLP, Vec Z);    /* Z_i <- grad^2 phi_i Z_i at the point of linearisation */
  Vec R, Zp;                                  /* sweep.c's: n x c work */
  PetscReal *cross;                           /* likewise: a number a weight */
} BLPLinear;

/* What BLPGetKernel() tells; set by the type's set-up. */
typedef struct {
  PetscInt first, out, in, width, grid; /* out = 0: there is none */
} BLPKernel;

struct _p_BLP {
  PETSCHEADER(struct _BLPOps);
  void *data;
  PetscBool setup, linearized;
  PetscBool needs_samples;   /* set by the type's constructor: set[] is read and agrees before setup */
  PetscBool by_callbacks;    /* likewise: what is missing can be given by a BLPUserSet function */
  PetscBool targets;         /* likewise: labels are real numbers, not classes */
  PetscBool positive;        /* likewise: lambda > 0; without a lower bound it gets one */
  PetscBool lambda_predicts; /* likewise: predict takes lambda too */
  PetscBool
      upper_by_training;      /* likewise: E is over the training samples, and validation ones are optional */
  PetscBool map_symmetric;    /* the map's d1Phi is symmetric */
  PetscBool map_linearized;   /* BLPMapLinearize() was called */
  PetscBool no_value;         /* the lower level has a gradient but no value l */
  PetscBool test_derivatives; /* before the first hypergradient */
  Vec point[2];               /* lambda and w of BLPLossLinearize(), kept alive for the products */
  Vec map_point[2];           /* likewise of BLPMapLinearize() */
  Vec bounds[2];              /* of lambda; NULL where there are none */
  PetscBool own_lower;        /* the lower one is that of a type whose lambda is positive */
  PetscInt nlambda, nw;       /* of the problem's own spaces */
  PetscInt matrix[3]; /* the first entry, rows and columns of BLPGetMatrix(); set by the type's set-up */
  const char *const *diagnostics; /* names, NULL behind the last; set by the type's constructor, or NULL */
  DataSet set[3];                 /* train, val, test: until setup has built from them */
  PetscBool has[3];
  DataSet like; /* features and classes of the training samples, without a sample */

  /* where the data come from */
  PetscInt train_first; /* so many of the training file's samples; 0: all */
  char path[3][PETSC_MAX_PATH_LEN];
  char source[PETSC_MAX_PATH_LEN];
  DataSetSplitRule split;
  DataSetSyntheticRule synthetic; /* of -blp_data synthetic; the type's constructor may set other defaults */
  PetscInt nsynthetic[3];         /* training, validation, test */
  DataSetSyntheticTextRule text;  /* of -blp_data synthetic_text */
  PetscInt ntext[3];
  BLPLinear linear;
  BLPFolds folds;
  PetscBool is_fold; /* a child: its data, and their options, are the parent's business */

  DataSetScale scaling;
  Vec shift, scale; /* of the features, by the training samples; NULL where there is none */

  /* the lambda that the outside sees: tie.c, which alone looks into it, but for the kind */
  struct {
    BLPTie kind;
    Mat given;        /* by BLPSetLambdaMap() */
    Mat T;            /* lambda = T theta; NULL: the identity */
    Vec lambda, work; /* T theta; a direction or a result in the problem's own lambda */
    TwofoldSeen seen; /* the theta behind lambda */
    PetscInt n;       /* entries of theta, where there is a T */
  } tie;
  PetscReal upper_l2;
  BLPKernel kernel;
};

/* Options of the data, and reading them. */
PetscErrorCode BLPDataSetFromOptions_Private(BLP blp, PetscOptionItems *PetscOptionsObject);
PetscErrorCode BLPLoadData_Private(BLP blp);
PetscErrorCode BLPScaleData_Private(BLP blp);
/* Labels of all sets as the type wants them: targets or classes. */
PetscErrorCode BLPSetLabels_Private(BLP blp);

/* features.c: the matrix of samples, by the problem's options, with so many rows of w on this rank;
   PETSC_DECIDE: as they suit the samples, but for folds, which share a lambda. */
PetscErrorCode BLPCreateFeatureMat_Private(BLP blp, DataSet ds, PetscInt rows, PetscInt c, PetscBool bias,
                                           FeatureMat *X);

/* sweep.c: forgets the form; a problem calls it before what it borrowed goes. */
PetscErrorCode BLPResetSweep_Private(BLP blp);

/* folds.c: makes the children from set[]; destroys them. */
PetscErrorCode BLPSetUpFolds_Private(BLP blp);
PetscErrorCode BLPResetFolds_Private(BLP blp);

/* Whether the bounds fit lambda and one another; set-up gives a positive lambda its lower bound before. */
PetscErrorCode BLPCheckBounds_Private(BLP blp);
PetscErrorCode BLPSetUpBounds_Private(BLP blp);

/* Keeps references to two vectors (which may be NULL) in pair[], and drops those it held. */
PetscErrorCode BLPKeepPair_Private(Vec pair[2], Vec first, Vec second);

/* The point of products: *lambda = T theta and w, kept in point[]. With a tie it is a copy, since values at
   other theta overwrite the shared T theta in between. */
PetscErrorCode BLPKeepPoint_Private(BLP blp, Vec point[2], Vec theta, Vec w, Vec *lambda);

/* A random direction d for difference quotients at x, keyed by the seed: entries as large as x's; where x is
   0, as large as its others are on average, or 1. x + h d, h <= 0.1, stays within the bounds (NULL, or two of
   which either may be NULL). */
PetscErrorCode BLPSetDirection_Private(Vec x, const Vec bounds[2], PetscInt64 seed, Vec d);

/* Names what a problem lacks, and the function that gives it. */
#define BLPCheckOp(blp, op, what, setter)                                                                    \
  PetscCheck((blp)->ops->op, PetscObjectComm((PetscObject)(blp)), PETSC_ERR_SUP,                             \
             "the %s problem has no %s%s",                                                                   \
             ((PetscObject)(blp))->type_name ? ((PetscObject)(blp))->type_name : "untyped", what,            \
             (blp)->by_callbacks ? ": " setter "()" : "")
/* Ties. A problem's ops know its own lambda alone; what takes or gives one in blp.c passes it through these.
   Set up behind the problem; a new vector of theta's space. */
PetscErrorCode BLPTieSetUp_Private(BLP blp);
PetscErrorCode BLPTieReset_Private(BLP blp);
PetscErrorCode BLPTieCreateVec_Private(BLP blp, Vec *theta);
PetscErrorCode BLPTieView_Private(BLP blp, PetscViewer viewer);
PetscErrorCode BLPTieGetMemory_Private(BLP blp, PetscLogDouble *bytes);
/* *lambda = T theta, which stays until it is asked for at another theta, and longer for who takes a
   reference; theta itself without a tie. */
PetscErrorCode BLPTieLambda_Private(BLP blp, Vec theta, Vec *lambda);
/* *own = T u, until the next call; u itself without a tie. */
PetscErrorCode BLPTieDirection_Private(BLP blp, Vec u, Vec *own);
/* Where an op is to put a result that the caller wants in g (may be NULL), and then g = T^T of it. */
static inline Vec BLPTieOwn_Private(BLP blp, Vec g)
{
  return g && blp->tie.T ? blp->tie.work : g;
}
PetscErrorCode BLPTieResult_Private(BLP blp, Vec own, Vec g);
/* A bound of ||T||; 1 without a tie. */
PetscErrorCode BLPTieGetNorm_Private(BLP blp, PetscReal *norm);

/* Types, one a file of problems/. */
PetscErrorCode BLPCreate_Softmax(BLP blp);
PetscErrorCode BLPCreate_BiasedReg(BLP blp);
PetscErrorCode BLPCreate_Logistic(BLP blp);
PetscErrorCode BLPCreate_KRR(BLP blp);
PetscErrorCode BLPCreate_User(BLP blp);
PetscErrorCode BLPCreate_Quadratic(BLP blp);
PetscErrorCode BLPCreate_HyperRep(BLP blp);
PetscErrorCode BLPCreate_Distill(BLP blp);
PetscErrorCode BLPCreate_DataClean(BLP blp);
PetscErrorCode BLPCreate_Equilibrium(BLP blp);
PetscErrorCode BLPCreate_ConvEquilibrium(BLP blp);

#endif
