#ifndef TWOFOLD_FEATUREMATIMPL_H
#define TWOFOLD_FEATUREMATIMPL_H
#include <twofold/featuremat.h>
#include <twofold/impl/sysimpl.h>

extern PetscClassId FEATUREMAT_CLASSID;

/* D, the diagonal of a regulariser: weight[j] for the `share` entries of W from j share on; share is c, or 1.
 */
typedef struct {
  const PetscReal *weight; /* NULL: D = 0 */
  PetscInt share;
} FeatureMatDiagonal;

/* y = keep a + m,  m = a0 a + a1 D a + b0 b + b1 D b + e (a - b) + s X^T r + plus; e is for what cancels
   exactly where a and b are the same */
typedef struct {
  PetscReal keep, a0, a1, b0, b1, e, s;
  const PetscScalar *plus; /* NULL, or this rank's entries of a vector like y, another than y */
} FeatureMatUpdate;

/* What a sweep can do beside: with another x of W's shape, X x is known afterwards, and
   cross_j = sum of y x over the entries that share D's weight j. */
typedef struct {
  Vec x;
  PetscReal *cross;
} FeatureMatBeside;

/* What becomes of rows first, ..., first + rows - 1 of this rank's Z, in place. */
typedef PetscErrorCode (*FeatureMatRows)(void *ctx, PetscInt first, PetscInt rows, PetscScalar z[]);

struct _FeatureMatOps {
  PetscErrorCode (*setfromoptions)(FeatureMat, PetscOptionItems *); /* optional */
  PetscErrorCode (*layout)(FeatureMat, DataSet, PetscBool bias,
                           PetscInt *plocal); /* optional, as are sweeps */
  PetscErrorCode (*setdata)(FeatureMat, DataSet, PetscBool bias);
  PetscErrorCode (*mult)(FeatureMat, Vec, Vec);
  PetscErrorCode (*multtranspose)(FeatureMat, Vec, Vec);
  PetscErrorCode (*multtransposesquared)(FeatureMat, Vec, Vec); /* optional */
  PetscErrorCode (*sweep)(FeatureMat, FeatureMatDiagonal, const FeatureMatUpdate *, Vec, Vec, Vec, Vec,
                          PetscBool known, const FeatureMatBeside *, PetscReal[2]);
  PetscErrorCode (*sweepcg)(FeatureMat, FeatureMatDiagonal, PetscReal, PetscReal, PetscReal, Vec, Vec, Vec,
                            Vec, PetscReal[3]);
  PetscErrorCode (*multthrough)(FeatureMat, Vec, FeatureMatRows, void *, Vec,
                                Vec);              /* where there is one_pass */
  PetscErrorCode (*view)(FeatureMat, PetscViewer); /* optional */
  PetscErrorCode (*memory)(FeatureMat, PetscLogDouble *);
  PetscErrorCode (*destroy)(FeatureMat);
};

struct _p_FeatureMat {
  PETSCHEADER(struct _FeatureMatOps);
  void *data;
  PetscInt n, p, c;              /* p counts the bias column */
  PetscInt64 nnz;                /* entries of all ranks */
  PetscInt plocal;               /* of W's rows on this rank, as asked for; else PETSC_DECIDE */
  PetscBool even;                /* else the type chooses */
  PetscInt Pr, Pc;               /* the grid; a type without one leaves it at 1 x ranks */
  PetscInt grid[2];              /* asked for: samples, features; 0: any */
  FeatureMatStorage storage;     /* asked for */
  PetscInt64 stored[2];          /* entries of all ranks in sparse and in dense blocks */
  PetscBool one_pass;            /* multthrough is one pass over X, which a sweep is not */
  PetscLayout features, samples; /* of W's and Z's rows */
  PetscInt *label;               /* of the local samples; NULL where they have targets: */
  PetscReal *target;
  TwofoldConstant norm; /* ||X||; unknown until it is asked for */
  PetscReal row_norm;   /* max ||x_i|| */
};

/* featuremat_sweep.c: a step of a method in one pass over the features, where the type has it.

   y = keep a + m as above; y may be a or b, and b NULL. With `known` X y is known afterwards:
   FeatureMatMult() of y costs nothing. beside: NULL, or with `known` what is to be done beside; its x is not
   y. sums (may be NULL): ||m||^2 and ||a - b||^2. */
PetscBool FeatureMatCanSweep_Private(FeatureMat X);
PetscErrorCode FeatureMatSweep_Private(FeatureMat X, FeatureMatDiagonal D, const FeatureMatUpdate *update,
                                       Vec R, Vec a, Vec b, Vec y, PetscBool known,
                                       const FeatureMatBeside *beside, PetscReal sums[2]);
/* A step of conjugate gradients for s (X^T B X + D): with p' = res + beta p and R = B X p' given,

     p <- p',  x <- x + alpha p,  res <- res - alpha s (X^T R + D p)

   X res is known afterwards. sums: <res, res>, <res, D res>, <res, D p> of the new vectors. */
PetscErrorCode FeatureMatSweepCG_Private(FeatureMat X, FeatureMatDiagonal D, PetscReal s, PetscReal alpha,
                                         PetscReal beta, Vec R, Vec x, Vec res, Vec p, PetscReal sums[3]);

/* featuremat_through.c: Z = f(X W) and G = X^T Z, in one pass over X where the type has it. f is called once
   for each row, for some of them at a time. Collective. */
PetscErrorCode FeatureMatMultThrough_Private(FeatureMat X, Vec W, FeatureMatRows f, void *ctx, Vec Z, Vec G);
/* Z <- f(Z) */
PetscErrorCode FeatureMatMapRows_Private(FeatureMat X, FeatureMatRows f, void *ctx, Vec Z);

/* An entry of X. */
typedef struct {
  PetscInt feature, sample;
  PetscScalar value;
} FeatureMatEntry;

/* The rank of `comm` that is to have a feature's entries. */
typedef PetscMPIInt (*FeatureMatDestination)(FeatureMat X, PetscInt feature);

/* featuremat_deal.c: the rank whose row of W a feature is. */
PetscMPIInt FeatureMatOwner_Private(FeatureMat X, PetscInt feature);
/* Sends each entry of this rank's samples on its way; entries arrive by increasing sample, and feature within
   one. Free with PetscFree(). Collective on comm. */
PetscErrorCode FeatureMatDeal_Private(FeatureMat X, DataSet ds, PetscBool bias, MPI_Comm comm,
                                      FeatureMatDestination to, PetscInt *nentries,
                                      FeatureMatEntry **entries);

/* Types, one a file. */
PetscErrorCode FeatureMatCreate_Reference(FeatureMat X);
PetscErrorCode FeatureMatCreate_Grid(FeatureMat X);

#endif
