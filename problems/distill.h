#ifndef TWOFOLD_DISTILL_H
#define TWOFOLD_DISTILL_H
/* What the files of distill share: see the head of distill.c. */
#include "crossentropy.h"

/* Where the images start. */
typedef enum { DISTILL_ZERO, DISTILL_MEAN, DISTILL_SAMPLE } DistillStart;

typedef struct {
  PetscInt p, c, each, m; /* features, classes, images a class, images */
  PetscReal beta;
  DistillStart start;

  FeatureMat X[3]; /* val and test: the training samples are the images */
  Vec Z[3];
  PetscInt *label;       /* of the images */
  Vec images, w;         /* templates of the spaces; images holds the start */
  Vec at, at_w;          /* lambda and w at the point of linearisation, borrowed */
  PetscScalar *P, *R;    /* softmax(S) and (softmax(S) - Y) / m there (m x c), on every rank */
  PetscScalar *T, *gram; /* m x c and m x m work */
} Distill;

/* delta = beta / (c p) */
static inline PetscReal DistillDecay_Private(const Distill *ds)
{
  return ds->beta / ((PetscReal)ds->c * (PetscReal)ds->p);
}

/* Drops what set-up or a model brought. */
PetscErrorCode DistillReset_Private(BLP blp);
/* The spaces, and room for all that is small, beside so many rows of w on this rank. Collective. */
PetscErrorCode DistillLayOut_Private(BLP blp, PetscInt rows);
/* out = A^T B (m x k) on every rank, of blocks by features of m and k columns. Collective. */
PetscErrorCode DistillInner_Private(PetscInt m, Vec A, PetscInt k, Vec B, PetscScalar out[]);
/* What the outputs of the images add up to begins. */
CrossEntropy DistillBegin_Private(const Distill *ds, PetscBool count);

/* distill_model.c */
PetscErrorCode BLPSaveModel_Distill(BLP blp, TwofoldGroup group);
PetscErrorCode BLPLoadModel_Distill(BLP blp, TwofoldGroup group);
PetscErrorCode BLPPredict_Distill(BLP blp, DataSet samples, Vec lambda, Vec w, Vec *Z, BLPMetrics *metrics);

/* distill_start.c: ds->images <- the start, of the training samples. Collective. */
PetscErrorCode DistillMakeStart_Private(BLP blp);

/* distill_bounds.c */
PetscErrorCode BLPStrongConvexity_Distill(BLP blp, Vec lambda, TwofoldConstant *mu);
PetscErrorCode BLPStrongConvexityGradient_Distill(BLP blp, Vec lambda, Vec g);
PetscErrorCode BLPSmoothness_Distill(BLP blp, Vec lambda, TwofoldConstant *L);
PetscErrorCode BLPSmoothnessGradient_Distill(BLP blp, Vec lambda, Vec g);
PetscErrorCode BLPLossLipschitz_Distill(BLP blp, Vec lambda, Vec w, PetscReal radius, BLPLipschitz *c);

#endif
