#ifndef TWOFOLD_PROBLEMS_LINEAR_H
#define TWOFOLD_PROBLEMS_LINEAR_H
/* What the problems have in common whose model is x -> <x, w>, with one lambda a weight: w and lambda are
   laid out alike, by features. The data of such a problem begin with a LinearModel. */
#include <twofold/featuremat.h>
#include <twofold/impl/blpimpl.h>

typedef struct {
  FeatureMat X[3]; /* train, val, test */
  Vec Z[3];        /* n work of each set */
  Vec w;           /* template of w's space and of lambda's */
  PetscInt p;
} LinearModel;

/* Ops of such a problem. */
PetscErrorCode BLPSetUp_Linear(BLP blp);
PetscErrorCode BLPCreateVecs_Linear(BLP blp, Vec *lambda, Vec *w);
PetscErrorCode BLPView_Linear(BLP blp, PetscViewer viewer);
PetscErrorCode BLPGetMemory_Linear(BLP blp, PetscLogDouble *bytes);
PetscErrorCode BLPSaveModel_Linear(BLP blp, TwofoldGroup group);
PetscErrorCode BLPLoadModel_Linear(BLP blp, TwofoldGroup group);

PetscErrorCode LinearModelReset(LinearModel *m);
/* X and X w of samples that conform to the training samples; both new. */
PetscErrorCode LinearModelApply(BLP blp, DataSet ds, Vec w, FeatureMat *X, Vec *z);
/* g <- the unit vector of the place of the least, or largest, entry of x: the first one where several are. */
PetscErrorCode LinearModelExtremePlace(Vec x, PetscBool largest, Vec g);

/* A constant by a formula, which may have cost the norm of a matrix. */
static inline TwofoldConstant LinearModelProved(PetscReal value, const TwofoldConstant *norm,
                                                const char origin[])
{
  return (TwofoldConstant){
      .value = value, .standing = TWOFOLD_PROVED, .origin = origin, .products = norm ? norm->products : 0};
}

#endif
