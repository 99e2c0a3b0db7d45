#ifndef TWOFOLD_SOFTMAX_H
#define TWOFOLD_SOFTMAX_H
/* What the files of softmax share: see the head of softmax.c. */
#include <twofold/featuremat.h>
#include <twofold/impl/blpimpl.h>

typedef struct {
  FeatureMat X[3]; /* train, val, test */
  Vec Z[3];        /* n x c work of each set */
  Vec P;           /* softmax(X w) at the point of linearisation */
  Vec w;           /* that point, borrowed */
  PetscInt c, p;   /* classes, features without the bias */
  PetscInt share;  /* entries of W for one of lambda: c, those of a feature, or 1 */
  PetscInt nweight;
  PetscBool bias;
  PetscReal *weight; /* D on this rank, one for `share` entries of W; 0 for the bias */
  PetscObjectId lambda_id;
  PetscObjectState lambda_state;
  Vec lambda; /* template of lambda's space */
} Softmax;

/* D = exp(lambda) / (c p), kept until lambda changes. Collective. */
PetscErrorCode SoftmaxUpdateWeights_Private(BLP blp, Vec lambda);

/* softmax_bounds.c */
PetscErrorCode BLPStrongConvexity_Softmax(BLP blp, Vec lambda, TwofoldConstant *mu);
PetscErrorCode BLPStrongConvexityGradient_Softmax(BLP blp, Vec lambda, Vec g);
PetscErrorCode BLPSmoothness_Softmax(BLP blp, Vec lambda, TwofoldConstant *L);
PetscErrorCode BLPSmoothnessGradient_Softmax(BLP blp, Vec lambda, Vec g);
PetscErrorCode BLPLossLipschitz_Softmax(BLP blp, Vec lambda, Vec w, PetscReal radius, BLPLipschitz *c);
PetscErrorCode BLPLossLipschitzAlong_Softmax(BLP blp, Vec lambda, Vec w, PetscReal radius, Vec v,
                                             TwofoldConstant *nu1, TwofoldConstant *nu2);

#endif
