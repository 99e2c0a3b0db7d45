#ifndef TWOFOLD_FEATUREMAT_H
#define TWOFOLD_FEATUREMAT_H
/* FeatureMat: the feature matrix X (n samples x p features) of a data set and its products with blocks of c
   columns. Layouts: W (p x c) is interlaced, block size c, distributed by features; Z (n x c) is interlaced,
   distributed by samples. */
#include <twofold/dataset.h>

#if defined(__cplusplus)
extern "C" {
#endif

typedef struct _p_FeatureMat *FeatureMat;
typedef const char *FeatureMatType;
#define FEATUREMATREFERENCE                                                                                  \
  "reference" /* MPIAIJ of X^T and MatCreateMAIJ: plain, the oracle for faster types */

PetscErrorCode FeatureMatCreate(MPI_Comm comm, FeatureMat *X);
PetscErrorCode FeatureMatDestroy(FeatureMat *X);
PetscErrorCode FeatureMatSetOptionsPrefix(FeatureMat X, const char prefix[]);
/* Option -data_kernel. Logically collective. */
PetscErrorCode FeatureMatSetType(FeatureMat X, FeatureMatType type);
PetscErrorCode FeatureMatSetFromOptions(FeatureMat X);
PetscErrorCode FeatureMatView(FeatureMat X, PetscViewer viewer);

/* Builds X from ds for blocks of c columns. With bias, a column of ones is appended as feature p. ds is not
   kept. Collective. */
PetscErrorCode FeatureMatSetData(FeatureMat X, DataSet ds, PetscInt c, PetscBool bias);

/* Global sizes: samples n, rows of W (p, or p + 1 with bias), columns c; any pointer may be NULL. */
PetscErrorCode FeatureMatGetSizes(FeatureMat X, PetscInt *n, PetscInt *p, PetscInt *c);

/* Class of each local row of Z, borrowed. */
PetscErrorCode FeatureMatGetLabels(FeatureMat X, PetscInt *nlocal, const PetscInt *label[]);

/* New vectors of W's and Z's layout; either may be NULL. Collective. */
PetscErrorCode FeatureMatCreateVecs(FeatureMat X, Vec *W, Vec *Z);

/* Z = X W. Collective. */
PetscErrorCode FeatureMatMult(FeatureMat X, Vec W, Vec Z);
/* G = X^T R. Collective. */
PetscErrorCode FeatureMatMultTranspose(FeatureMat X, Vec R, Vec G);

/**
 * ||X||, the largest singular value, computed once by Lanczos' method on X^T X or X X^T, the smaller of them.
 *
 * The residual is added, so that in practice the value bounds ||X|| from above: a Ritz value alone is a bound
 * from below.
 *
 * @collective
 *
 * @param[in]     X       the matrix
 * @param[out]    norm    ||X|| with what it cost; error is what was added
 *
 * @raises{PETSC_ERR_ARG_WRONGSTATE, there are no data yet}
 */
PetscErrorCode FeatureMatGetNorm(FeatureMat X, TwofoldConstant *norm);

/* Bytes this rank holds. Not collective. */
PetscErrorCode FeatureMatGetMemory(FeatureMat X, PetscLogDouble *bytes);

PetscErrorCode FeatureMatRegister(const char type[], PetscErrorCode (*create)(FeatureMat));
/* Names of all registered types; free the array (not the names) with PetscFree(). Not collective. */
PetscErrorCode FeatureMatGetRegistered(PetscInt *n, const char ***types);

#if defined(__cplusplus)
}
#endif
#endif
