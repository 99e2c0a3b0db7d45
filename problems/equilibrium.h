#ifndef TWOFOLD_EQUILIBRIUM_H
#define TWOFOLD_EQUILIBRIUM_H
/* What equilibrium and convequilibrium share: classifiers of fixed points w_i = tanh(A w_i + B x_i + c), see
   the head of equilibrium_levels.c. Only the products with A and B differ, the layer's. A state, h numbers,
   and the p features of a sample lie one behind the other. */
#include "crossentropy.h"

typedef struct Equilibrium Equilibrium;

/* Samples of this rank. */
typedef struct {
  PetscLayout layout;
  PetscReal *x;
  PetscInt *label;   /* c or more where unknown */
  PetscReal *drive;  /* B x + c of each; NULL before it is asked for */
  PetscInt64 change; /* of lambda, that drive is of */
} EquilibriumSamples;

/* z <- op M v + beta z of so many samples, M being A or B as lambda has it. Not collective, as all of these.
 */
typedef PetscErrorCode (*EquilibriumProduct)(const Equilibrium *eq, PetscInt n, const PetscReal M[],
                                             const PetscReal v[], PetscReal beta, PetscReal z[]);

typedef struct {
  const char *type;     /* of the problem, and what its options begin with */
  const char *constant; /* the type's name in C */
  /* sets its part of Equilibrium and of blp, and what the layer has of its own, from options and the
     features that samples have. Collective. */
  PetscErrorCode (*setup)(BLP blp, Equilibrium *eq, PetscInt features);
  PetscErrorCode (*reset)(Equilibrium *eq); /* frees the latter; optional */
  EquilibriumProduct A, AT, B;
  /* gA = U w^T and gB = U x^T in the sense of d<U, A w + B x>; NULL: not wanted, nor read what it is of */
  PetscErrorCode (*gradient)(const Equilibrium *eq, PetscInt n, const PetscReal w[], const PetscReal x[],
                             const PetscReal U[], PetscReal gA[], PetscReal gB[]);
  PetscErrorCode (*norm)(const Equilibrium *eq, const PetscReal A[], PetscReal *norm); /* at least ||A|| */
  PetscBool is_matrix; /* A is the h x h matrix that lambda begins with, row by row */
} EquilibriumLayer;

struct Equilibrium {
  const EquilibriumLayer *layer;
  PetscInt width; /* as the options say: of a dense state, or its channels */
  PetscInt c, seed, steps;
  PetscReal size; /* of the start */

  /* by the layer's set-up */
  PetscInt h, p;       /* of a state, of what B sees of a sample */
  PetscInt nA, nB, nc; /* entries; a state is h / nc times a vector of nc, and c is added to each */
  PetscInt rows;       /* A has so many, as lambda has it */
  PetscInt taps;       /* ||A||^2 <= taps times the sum of the squares of what lambda has of A; so for B */
  PetscInt nfew;       /* samples that stay in the cache */
  size_t nwork;        /* numbers that the layer keeps for itself */
  PetscInt *cell;      /* of each feature, where B sees it; NULL: as they come */
  PetscReal share;     /* what it counts there */

  EquilibriumSamples set[3];
  Vec lambda, w;              /* templates of the spaces */
  PetscMPIInt *count, *first; /* the ranks' pieces of lambda */
  PetscReal *all;             /* lambda on every rank: A, B, c, theta */
  TwofoldSeen seen;           /* the vector behind it */
  PetscInt64 change;          /* counts what was seen */

  PetscReal *part;   /* a direction or a gradient in lambda, likewise */
  PetscReal *work;   /* h numbers a training sample */
  PetscReal *few[2]; /* the same of nfew samples, twice */
  PetscReal *sumU;   /* of d2Phi^T V at several points: of D * V; NULL where nobody has asked */
  PetscReal *sumA;   /* and of what A and c get */

  struct { /* the point of linearisation */
    PetscReal *A, *D;
    Vec w; /* borrowed */
  } at;
};

static inline const PetscReal *EquilibriumB_Private(const Equilibrium *eq, const PetscReal all[])
{
  return all + eq->nA;
}

static inline const PetscReal *EquilibriumShift_Private(const Equilibrium *eq, const PetscReal all[])
{
  return EquilibriumB_Private(eq, all) + eq->nB;
}

static inline const PetscReal *EquilibriumTheta_Private(const Equilibrium *eq, const PetscReal all[])
{
  return EquilibriumShift_Private(eq, all) + eq->nc;
}

/* equilibrium_levels.c: the ops of blp, whose data is eq, and the defaults of what all layers have. */
PetscErrorCode EquilibriumCreate_Private(BLP blp, const EquilibriumLayer *layer, Equilibrium *eq);
/* The options of all layers. */
PetscErrorCode EquilibriumSetFromOptions_Private(BLP blp, PetscOptionItems *PetscOptionsObject);
/* An option of at least 1, -blp_TYPE_NAME. */
PetscErrorCode EquilibriumOption_Private(BLP blp, PetscOptionItems *PetscOptionsObject, const char name[],
                                         const char text[], PetscInt *value);
PetscErrorCode EquilibriumView_Private(BLP blp, PetscViewer viewer);
/* Drops what set-up or a model brought. */
PetscErrorCode EquilibriumReset_Private(BLP blp);
/* The spaces, with so many samples in w on this rank, and what does not depend on samples. Collective. */
PetscErrorCode EquilibriumLayOut_Private(BLP blp, PetscInt nlocal, PetscInt n);
/* lambda on every rank, in eq->all, where it has changed. Collective. */
PetscErrorCode EquilibriumEnter_Private(Equilibrium *eq, Vec lambda);
/* Outputs of states, theta w, by `rows` of crossentropy.h; the caller's z has c numbers a sample. */
PetscErrorCode EquilibriumOutputs_Private(const Equilibrium *eq, const EquilibriumSamples *s,
                                          const PetscReal w[], FeatureMatRows rows, CrossEntropy *out,
                                          PetscReal z[]);

/* equilibrium_states.c: C <- op(A) op(B) + beta C, all stored by columns. */
PetscErrorCode EquilibriumGemm_Private(const char ta[], const char tb[], PetscInt m, PetscInt n, PetscInt k,
                                       const PetscReal A[], PetscInt lda, const PetscReal B[], PetscInt ldb,
                                       PetscReal beta, PetscReal C[], PetscInt ldc);
/* Samples dealt out as ds has them; what they hold is freed. Collective. */
PetscErrorCode EquilibriumSamplesCreate_Private(const Equilibrium *eq, DataSet ds, EquilibriumSamples *s);
PetscErrorCode EquilibriumSamplesDestroy_Private(EquilibriumSamples *s);
/* y = tanh(A w + B x + c) with the lambda that was entered; y is not w. Not collective, as all below. */
PetscErrorCode EquilibriumStep_Private(Equilibrium *eq, EquilibriumSamples *s, const PetscReal w[],
                                       PetscReal y[]);
/* The same in place, `steps` times. */
PetscErrorCode EquilibriumSteps_Private(Equilibrium *eq, EquilibriumSamples *s, PetscInt steps,
                                        PetscReal w[]);
/* D = 1 - tanh(A w + B x + c)^2 */
PetscErrorCode EquilibriumSlope_Private(Equilibrium *eq, EquilibriumSamples *s, const PetscReal w[],
                                        PetscReal D[]);
/* w <- the states after eq->steps steps from 0. */
PetscErrorCode EquilibriumSolve_Private(Equilibrium *eq, EquilibriumSamples *s, PetscReal w[]);
/* y = D * (A v), and y = A^T (D * v), of n samples. */
PetscErrorCode EquilibriumMult_Private(Equilibrium *eq, PetscInt n, const PetscReal v[], PetscReal y[]);
PetscErrorCode EquilibriumMultTranspose_Private(Equilibrium *eq, PetscInt n, const PetscReal v[],
                                                PetscReal y[]);
/* v <- A^T (D * v) + b of n samples, `steps` times. */
PetscErrorCode EquilibriumAdjointSteps_Private(Equilibrium *eq, PetscInt n, const PetscReal b[],
                                               PetscInt steps, PetscReal v[]);
/* The step of BLPMapNormalStep() over n samples, and their sums. */
PetscErrorCode EquilibriumNormalStep_Private(Equilibrium *eq, PetscInt n, BLPNormalStep *step, PetscReal v[],
                                             PetscReal r[], PetscReal p[], PetscReal z[]);
/* z <- c of each, of n samples. */
PetscErrorCode EquilibriumSpread_Private(const Equilibrium *eq, PetscInt n, const PetscReal c[],
                                         PetscReal z[]);

/* equilibrium_model.c */
PetscErrorCode BLPSaveModel_Equilibrium(BLP blp, TwofoldGroup group);
PetscErrorCode BLPLoadModel_Equilibrium(BLP blp, TwofoldGroup group);
/* A size that the file gives. Collective. */
PetscErrorCode EquilibriumGetSize_Private(BLP blp, TwofoldGroup group, const char name[], PetscInt *size);
PetscErrorCode BLPPredict_Equilibrium(BLP blp, DataSet ds, Vec lambda, Vec w, Vec *Z, BLPMetrics *metrics);
/* Mean and accuracy of samples whose labels are known, from their own fixed point where w is NULL. Z gets
   their class probabilities. Collective. */
PetscErrorCode EquilibriumMeasure_Private(Equilibrium *eq, EquilibriumSamples *s, const PetscReal w[],
                                          PetscReal Z[], BLPMetrics *metrics);

/* equilibrium_bounds.c */
PetscErrorCode BLPContraction_Equilibrium(BLP blp, Vec lambda, TwofoldConstant *q);
PetscErrorCode BLPMapLipschitz_Equilibrium(BLP blp, Vec lambda, Vec w, PetscReal radius, BLPLipschitz *c);
/* The largest singular value of M, `rows` rows of `columns` numbers, with what rounding may do to it. */
PetscErrorCode EquilibriumNorm_Private(PetscInt rows, PetscInt columns, const PetscReal M[], PetscReal *norm);

/* equilibrium_local.c */
extern const char *const EquilibriumDiagnostics[];
PetscErrorCode BLPDiagnose_Equilibrium(BLP blp, Vec lambda, Vec w, PetscReal values[]);

#endif
