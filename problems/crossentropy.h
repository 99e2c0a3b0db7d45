#ifndef TWOFOLD_PROBLEMS_CROSSENTROPY_H
#define TWOFOLD_PROBLEMS_CROSSENTROPY_H
/* What the problems have in common that tell classes apart by outputs Z = X W, a row z of c numbers a sample:
   cross-entropies CE(y, z) = logsumexp(z) - z_y, each with a weight s where there are some,

     grad CE = P - y,     (grad^2 CE) u = P * (u - <P, u>),     P = softmax(z), y the unit vector of the class

   so that the Hessian of CE is at most 1/2. */
#include <twofold/featuremat.h>
#include <twofold/impl/blpimpl.h>

/* Outputs of samples on their way through the model, and what they add up to on this rank. */
typedef struct {
  PetscInt c;
  const PetscInt *label;         /* c or more where unknown */
  const PetscReal *weight;       /* s; NULL: 1 */
  PetscReal n;                   /* of all ranks: what means divide by */
  PetscBool count;               /* right answers are asked for */
  PetscReal loss, right, nknown; /* of samples whose labels are known; only the loss is weighted */
} CrossEntropy;

/* Of the samples of X by its own labels. */
PetscErrorCode CrossEntropyBegin(FeatureMat X, PetscBool count, CrossEntropy *out);

/* z <- softmax(z), adding up on the way; a FeatureMatRows of a CrossEntropy. */
PetscErrorCode CrossEntropySoftmaxRows(void *ctx, PetscInt first, PetscInt rows, PetscScalar z[]);
/* z <- s (softmax(z) - y) / n, likewise; all labels are known. */
PetscErrorCode CrossEntropyGradientRows(void *ctx, PetscInt first, PetscInt rows, PetscScalar z[]);

/* The point of second derivatives. */
typedef struct {
  PetscInt c;
  const PetscScalar *P;
  const PetscReal *weight; /* s; NULL: 1 */
  PetscReal n;
} CrossEntropyPoint;

/* z <- s P * (z - <P, z>) / n; a FeatureMatRows of a CrossEntropyPoint. */
PetscErrorCode CrossEntropyHessianRows(void *ctx, PetscInt first, PetscInt rows, PetscScalar z[]);

/* Z <- softmax(X w). Collective, as all below. */
PetscErrorCode CrossEntropyOutputs(FeatureMat X, Vec w, Vec Z, CrossEntropy *out);
/* The mean, where not NULL, and its gradient, where not NULL; Z is work. `out` has begun. */
PetscErrorCode CrossEntropyMean(FeatureMat X, Vec w, Vec Z, CrossEntropy *out, PetscReal *loss, Vec g);
/* Mean and accuracy of samples whose labels are known; n of none is 0. */
PetscErrorCode CrossEntropyMeasure(FeatureMat X, Vec w, Vec Z, CrossEntropy *out, BLPMetrics *metrics);
/* The ops evaluate and predict of a model W of so many rows on this rank. */
PetscErrorCode CrossEntropyPredict(BLP blp, DataSet ds, PetscInt rows, PetscInt c, PetscBool bias, Vec w,
                                   Vec *Z, BLPMetrics *metrics);

#endif
