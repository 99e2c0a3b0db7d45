#ifndef TWOFOLD_HYPERREP_H
#define TWOFOLD_HYPERREP_H
/* What the files of hyperrep share: see the head of hyperrep.c. */
#include "linear.h"

typedef struct {
  PetscInt p, d, seed;
  PetscReal beta, decay;

  FeatureMat X[3];           /* train, val, test */
  Vec Z[3];                  /* X H of each set */
  PetscObjectId id[3];       /* of the H behind Z */
  PetscObjectState state[3]; /* likewise */
  PetscReal *G, *h;          /* Z^T Z (d x d) and Z^T y of the training samples, on every rank */
  Vec R[2];                  /* n x d work of the training and of the validation samples */
  PetscReal *r[2];           /* residuals of this rank's: at the point of linearisation; work */
  PetscReal *Xty[2];         /* X^T y, X'^T y', of this rank's features */

  Vec H, w, M; /* templates of the spaces; work in lambda's */

  Vec at; /* H at the point of linearisation, borrowed, and w there */
  PetscReal *at_w;
} HyperRep;

static inline PetscReal HyperRepDot_Private(PetscInt d, const PetscReal x[], const PetscReal y[])
{
  PetscReal sum = 0;

  for (PetscInt k = 0; k < d; k++) sum += x[k] * y[k];
  return sum;
}

/* Drops what set-up or a model brought. */
PetscErrorCode HyperRepReset_Private(BLP blp);
/* The space of w. Collective. */
PetscErrorCode HyperRepCreateSmall_Private(BLP blp);
/* Z = X H of a set, and G and h for the training samples, kept until H changes on any rank, and all entries
   of v, of w's space, on every rank. v and all may be NULL. Collective. */
PetscErrorCode HyperRepEnter_Private(HyperRep *hr, BLPSet set, Vec H, Vec v, PetscReal all[]);
/* G <- Z^T Z, and h <- Z^T y where it is not NULL. Collective. */
PetscErrorCode HyperRepGram_Private(const HyperRep *hr, BLPSet set, PetscReal G[], PetscReal h[]);
/* g = X^T (r v^T + Z u w^T) of a set; r or u may be NULL, and their part is 0 then. Collective. */
PetscErrorCode HyperRepPullBack_Private(const HyperRep *hr, BLPSet set, const PetscReal r[],
                                        const PetscReal v[], const PetscReal u[], const PetscReal w[], Vec g);

/* hyperrep_model.c */
PetscErrorCode BLPSaveModel_HyperRep(BLP blp, TwofoldGroup group);
PetscErrorCode BLPLoadModel_HyperRep(BLP blp, TwofoldGroup group);
PetscErrorCode BLPPredict_HyperRep(BLP blp, DataSet ds, Vec H, Vec w, Vec *Z, BLPMetrics *metrics);

/* hyperrep_bounds.c */
PetscErrorCode BLPStrongConvexity_HyperRep(BLP blp, Vec H, TwofoldConstant *mu);
PetscErrorCode BLPStrongConvexityGradient_HyperRep(BLP blp, Vec H, Vec g);
PetscErrorCode BLPSmoothness_HyperRep(BLP blp, Vec H, TwofoldConstant *L);
PetscErrorCode BLPSmoothnessGradient_HyperRep(BLP blp, Vec H, Vec g);
PetscErrorCode BLPLossLipschitz_HyperRep(BLP blp, Vec H, Vec w, PetscReal radius, BLPLipschitz *c);

#endif
