#ifndef TWOFOLD_EQUILIBRIUM_H
#define TWOFOLD_EQUILIBRIUM_H
/* What the files of equilibrium share: see the head of equilibrium.c. A state, h numbers, and the p features
   of a sample lie one behind the other; A, B and theta are kept row by row. */
#include "crossentropy.h"

/* Samples of this rank. */
typedef struct {
  PetscLayout layout;
  PetscReal *x;
  PetscInt *label;   /* c or more where unknown */
  PetscReal *drive;  /* B x + c of each; NULL before it is asked for */
  PetscInt64 change; /* of lambda, that drive is of */
} EquilibriumSamples;

typedef struct {
  PetscInt h, p, c, seed, steps;
  PetscReal size; /* of the start */

  EquilibriumSamples set[3];
  Vec lambda, w;              /* templates of the spaces */
  PetscMPIInt *count, *first; /* the ranks' pieces of lambda */
  PetscReal *all;             /* lambda on every rank: A, B, c, theta */
  TwofoldSeen seen;           /* the vector behind it */
  PetscInt64 change;          /* counts what was seen */

  PetscReal *part;   /* a direction or a gradient in lambda, likewise */
  PetscReal *work;   /* h numbers a training sample */
  PetscReal *few[2]; /* the same of so many samples that they stay in the cache, twice */
  PetscInt nfew;

  struct { /* the point of linearisation */
    PetscReal *A, *D;
    Vec w; /* borrowed */
  } at;
} Equilibrium;

static inline const PetscReal *EquilibriumB_Private(const Equilibrium *eq, const PetscReal all[])
{
  return all + (size_t)eq->h * (size_t)eq->h;
}

static inline const PetscReal *EquilibriumShift_Private(const Equilibrium *eq, const PetscReal all[])
{
  return EquilibriumB_Private(eq, all) + (size_t)eq->h * (size_t)eq->p;
}

static inline const PetscReal *EquilibriumTheta_Private(const Equilibrium *eq, const PetscReal all[])
{
  return EquilibriumShift_Private(eq, all) + eq->h;
}

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
PetscErrorCode EquilibriumSamplesCreate_Private(DataSet ds, EquilibriumSamples *s);
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

/* equilibrium_model.c */
PetscErrorCode BLPSaveModel_Equilibrium(BLP blp, TwofoldGroup group);
PetscErrorCode BLPLoadModel_Equilibrium(BLP blp, TwofoldGroup group);
PetscErrorCode BLPPredict_Equilibrium(BLP blp, DataSet ds, Vec lambda, Vec w, Vec *Z, BLPMetrics *metrics);
/* Mean and accuracy of samples whose labels are known, from their own fixed point where w is NULL. Z gets
   their class probabilities. Collective. */
PetscErrorCode EquilibriumMeasure_Private(Equilibrium *eq, EquilibriumSamples *s, const PetscReal w[],
                                          PetscReal Z[], BLPMetrics *metrics);

/* equilibrium_bounds.c */
PetscErrorCode BLPContraction_Equilibrium(BLP blp, Vec lambda, TwofoldConstant *q);
PetscErrorCode BLPMapLipschitz_Equilibrium(BLP blp, Vec lambda, Vec w, PetscReal radius, BLPLipschitz *c);

#endif
