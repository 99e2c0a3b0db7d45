#ifndef TWOFOLD_BLPIMPL_H
#define TWOFOLD_BLPIMPL_H
#include <twofold/blp.h>
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
};

/* Cross-validation: the children of this rank's group, a problem a fold. Folds go round the groups: group g
   has the folds g, g + G, ... */
typedef struct {
  PetscInt F, G;         /* folds (0: none); groups of consecutive ranks, of which this rank's is `group` */
  PetscInt group;        /* set by BLPSetUp(), as is all below */
  MPI_Comm comm;         /* of the group; the parent's own where there is one group */
  PetscInt nlocal;       /* children */
  BLP *child;            /* NULL before set-up */
  struct _BLPOps single; /* the type's own table: a folded problem has one that refuses */
  PetscBool from_options;
} BLPFolds;

struct _p_BLP {
  PETSCHEADER(struct _BLPOps);
  void *data;
  PetscBool setup, linearized;
  PetscInt nlambda, nw;
  DataSet set[3]; /* train, val, test: until setup has built from them */
  PetscBool has[3];

  /* where the data come from */
  char path[3][PETSC_MAX_PATH_LEN];
  char source[PETSC_MAX_PATH_LEN];
  DataSetSplitRule split;
  BLPFolds folds;
  PetscBool is_fold; /* a child: its data, and their options, are the parent's business */
};

/* Options of the data, and reading them. */
PetscErrorCode BLPDataSetFromOptions_Private(BLP blp, PetscOptionItems *PetscOptionsObject);
PetscErrorCode BLPLoadData_Private(BLP blp);

/* folds.c: makes the children from set[]; destroys them. */
PetscErrorCode BLPSetUpFolds_Private(BLP blp);
PetscErrorCode BLPResetFolds_Private(BLP blp);

/* Types, one a file of problems/. */
PetscErrorCode BLPCreate_Softmax(BLP blp);

#endif
