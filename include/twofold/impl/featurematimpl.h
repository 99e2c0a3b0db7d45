#ifndef TWOFOLD_FEATUREMATIMPL_H
#define TWOFOLD_FEATUREMATIMPL_H
#include <twofold/featuremat.h>
#include <twofold/impl/sysimpl.h>

extern PetscClassId FEATUREMAT_CLASSID;

struct _FeatureMatOps {
  PetscErrorCode (*setdata)(FeatureMat, DataSet, PetscBool bias);
  PetscErrorCode (*mult)(FeatureMat, Vec, Vec);
  PetscErrorCode (*multtranspose)(FeatureMat, Vec, Vec);
  PetscErrorCode (*multtransposesquared)(FeatureMat, Vec, Vec); /* optional */
  PetscErrorCode (*memory)(FeatureMat, PetscLogDouble *);
  PetscErrorCode (*destroy)(FeatureMat);
};

struct _p_FeatureMat {
  PETSCHEADER(struct _FeatureMatOps);
  void *data;
  PetscInt n, p, c;              /* p counts the bias column */
  PetscLayout features, samples; /* of W's and Z's rows */
  PetscInt *label;               /* of the local samples; NULL where they have targets: */
  PetscReal *target;
  TwofoldConstant norm; /* ||X||; unknown until it is asked for */
  PetscReal row_norm;   /* max ||x_i|| */
};

PetscErrorCode FeatureMatCreate_Reference(FeatureMat X);

#endif
