#ifndef TWOFOLD_BLPIMPL_H
#define TWOFOLD_BLPIMPL_H
#include <twofold/blp.h>
#include <twofold/impl/groupimpl.h>
#include <twofold/impl/sysimpl.h>

extern PetscClassId BLP_CLASSID;

struct _BLPOps {
  PetscErrorCode (*setfromoptions)(BLP, PetscOptionItems *);
  PetscErrorCode (*setup)(BLP); /* from data[]; sets nlambda, nw and the layouts */
  PetscErrorCode (*view)(BLP, PetscViewer);
  PetscErrorCode (*destroy)(BLP);
  PetscErrorCode (*createvecs)(BLP, Vec *, Vec *);
  PetscErrorCode (*upper)(BLP, Vec, Vec, PetscReal *, Vec, Vec);
  PetscErrorCode (*lossgradient)(BLP, Vec, Vec, PetscReal *, Vec);
  PetscErrorCode (*losslinearize)(BLP, Vec, Vec);
  PetscErrorCode (*losshessian)(BLP, Vec, Vec);
  PetscErrorCode (*losscross)(BLP, Vec, Vec);
  PetscErrorCode (*losscrosstranspose)(BLP, Vec, Vec);
  PetscErrorCode (*strongconvexity)(BLP, Vec, TwofoldConstant *);
  PetscErrorCode (*smoothness)(BLP, Vec, TwofoldConstant *);
  PetscErrorCode (*evaluate)(BLP, BLPSet, Vec, Vec, BLPMetrics *);
  PetscErrorCode (*memory)(BLP, PetscLogDouble *);
  /* a model: what the type itself needs beside `like`, the same read back (sets nlambda, nw and the layouts),
     and the class probabilities and metrics of samples that conform to it */
  PetscErrorCode (*savemodel)(BLP, TwofoldGroup);
  PetscErrorCode (*loadmodel)(BLP, TwofoldGroup);
  PetscErrorCode (*predict)(BLP, DataSet, Vec, Vec, Vec *, BLPMetrics *);
};

struct _p_BLP {
  PETSCHEADER(struct _BLPOps);
  void *data;
  PetscBool setup, linearized;
  PetscInt nlambda, nw;
  DataSet set[3]; /* train, val, test: until setup has built from them */
  PetscBool has[3];
  DataSet like; /* features and classes of the training samples, without a sample */

  /* where the data come from */
  char path[3][PETSC_MAX_PATH_LEN];
  char source[PETSC_MAX_PATH_LEN];
  DataSetSplitRule split;

  DataSetScale scaling;
  Vec shift, scale; /* of the features, by the training samples; NULL where there is none */
};

/* Options of the data, and reading them. */
PetscErrorCode BLPDataSetFromOptions_Private(BLP blp, PetscOptionItems *PetscOptionsObject);
PetscErrorCode BLPLoadData_Private(BLP blp);
PetscErrorCode BLPScaleData_Private(BLP blp);

/* Types, one a file of problems/. */
PetscErrorCode BLPCreate_Softmax(BLP blp);

#endif
