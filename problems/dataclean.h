#ifndef TWOFOLD_DATACLEAN_H
#define TWOFOLD_DATACLEAN_H
/* What the files of dataclean share: see the head of dataclean.c. */
#include "crossentropy.h"

/* Where the weights start: at 1/2, at 1, or at 1 and 0 as the labels are right and wrong. */
typedef enum { DATACLEAN_ZERO, DATACLEAN_ALL, DATACLEAN_ORACLE } DataCleanStart;

typedef struct {
  PetscReal beta, corrupt;
  PetscInt seed;
  DataCleanStart start;

  FeatureMat X[3]; /* train, val, test */
  Vec Z[3];        /* n x c work of each set */
  PetscInt c, p;   /* classes, features */
  PetscInt n;      /* training samples of this rank */
  PetscInt wrong;  /* of all ranks' training samples with another label than the data's */
  PetscInt *label; /* of this rank's training samples, as the lower level sees them */

  PetscReal *weight, *rate; /* sigma(lambda_i), sigma'(lambda_i) of this rank's */
  TwofoldSeen seen;         /* the lambda behind them */
  Vec at;                   /* lambda at the point of linearisation, borrowed */
  Vec P;                    /* softmax(X w) there */

  Vec lambda, w; /* templates of the spaces */
} DataClean;

/* delta = beta / (c p) */
static inline PetscReal DataCleanDecay_Private(const DataClean *dc)
{
  return dc->beta / ((PetscReal)dc->c * (PetscReal)dc->p);
}

/* sigma(lambda) and its derivative, kept until lambda changes. Not collective. */
PetscErrorCode DataCleanUpdateWeights_Private(DataClean *dc, Vec lambda);
/* What the outputs of the training samples add up to begins, by the labels of the lower level. */
PetscErrorCode DataCleanBegin_Private(const DataClean *dc, PetscBool weighted, CrossEntropy *out);

/* dataclean_labels.c: dc->label and dc->wrong, and the starting lambda. Collective. */
PetscErrorCode DataCleanCorrupt_Private(DataClean *dc);
PetscErrorCode BLPStart_DataClean(BLP blp, Vec lambda);

/* dataclean_bounds.c */
PetscErrorCode BLPStrongConvexity_DataClean(BLP blp, Vec lambda, TwofoldConstant *mu);
PetscErrorCode BLPStrongConvexityGradient_DataClean(BLP blp, Vec lambda, Vec g);
PetscErrorCode BLPSmoothness_DataClean(BLP blp, Vec lambda, TwofoldConstant *L);
PetscErrorCode BLPSmoothnessGradient_DataClean(BLP blp, Vec lambda, Vec g);
PetscErrorCode BLPLossLipschitz_DataClean(BLP blp, Vec lambda, Vec w, PetscReal radius, BLPLipschitz *c);

#endif
