#ifndef TWOFOLD_FEATUREMAT_H
#define TWOFOLD_FEATUREMAT_H
/**
 * @file
 * FeatureMat: the feature matrix X (n samples x p features) of a data set and its products with blocks of c
 * columns.
 *
 * Layouts: W (p x c) is interlaced, block size c, distributed by features; Z (n x c) is interlaced,
 * distributed by samples.
 */
#include <twofold/dataset.h>

#if defined(__cplusplus)
extern "C" {
#endif

/** Handle of a feature matrix, a PETSc object. */
typedef struct _p_FeatureMat *FeatureMat;
/** Name of the kernels that compute the products. */
typedef const char *FeatureMatType;
/** MPIAIJ of X^T and MatCreateMAIJ(): plain, the oracle for faster types. */
#define FEATUREMATREFERENCE "reference"
/** Blocks on a grid of ranks, samples by features; a step of a method in one pass over the features. */
#define FEATUREMATGRID "grid"

/** How the entries of a rank's block of FEATUREMATGRID are stored. */
typedef enum {
  FEATUREMAT_STORAGE_AUTO,   /**< dense where at least a third of the block is not zero */
  FEATUREMAT_STORAGE_SPARSE, /**< those that are not zero, with their places */
  FEATUREMAT_STORAGE_DENSE   /**< all of them */
} FeatureMatStorage;
/** Names of the kinds: "auto", "sparse", "dense"; laid out as for PetscOptionsEnum(). */
extern const char *const FeatureMatStorages[];

/**
 * Makes a feature matrix without type and data.
 *
 * @collective
 *
 * @param[in]     comm    communicator of the data set
 * @param[out]    X       new matrix; free with FeatureMatDestroy()
 */
PetscErrorCode FeatureMatCreate(MPI_Comm comm, FeatureMat *X);
/**
 * Drops a reference; the last one frees the matrix.
 *
 * @collective
 *
 * @param[in,out] X       the matrix, NULL afterwards; a matrix of NULL is accepted
 */
PetscErrorCode FeatureMatDestroy(FeatureMat *X);
/**
 * Sets what stands before the names of the matrix's options.
 *
 * @logicallycollective
 *
 * @param[in]     X       the matrix
 * @param[in]     prefix  the owner's prefix, or NULL
 */
PetscErrorCode FeatureMatSetOptionsPrefix(FeatureMat X, const char prefix[]);
/**
 * Chooses the kernels of the products; data of another type are dropped.
 *
 * @logicallycollective
 *
 * @param[in]     X       the matrix
 * @param[in]     type    FEATUREMATGRID, FEATUREMATREFERENCE or a registered name
 *
 * @raises PETSC_ERR_ARG_UNKNOWN_TYPE the type is not registered
 * @option{-data_kernel T}
 */
PetscErrorCode FeatureMatSetType(FeatureMat X, FeatureMatType type);
/**
 * Reads the options of the matrix; without any, a matrix without type becomes FEATUREMATGRID.
 *
 * @collective
 *
 * @param[in]     X       the matrix
 *
 * @raises PETSC_ERR_ARG_UNKNOWN_TYPE the type is not registered
 * @raises PETSC_ERR_ARG_OUTOFRANGE -data_grid is neither auto nor two positive numbers
 * @option{-data_kernel T, -data_grid auto|Pr,Pc, -data_storage auto|sparse|dense}
 */
PetscErrorCode FeatureMatSetFromOptions(FeatureMat X);
/**
 * Chooses the grid of FEATUREMATGRID: Pr blocks of samples times Pc blocks of features.
 *
 * With Pr = 1 features are distributed and a product moves n c numbers, with Pc = 1 samples are and it moves
 * p c; other types have no grid and ignore it.
 *
 * @logicallycollective
 *
 * @param[in]     X       the matrix, before FeatureMatSetData()
 * @param[in]     Pr      blocks of samples, or 0 with Pc 0: the grid that moves least
 * @param[in]     Pc      blocks of features; Pr Pc is the number of ranks, which FeatureMatSetData() checks
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE a number is not positive
 * @option{-data_grid auto|Pr,Pc}
 */
PetscErrorCode FeatureMatSetGrid(FeatureMat X, PetscInt Pr, PetscInt Pc);
/**
 * Gives the grid in use; either pointer may be NULL.
 *
 * @notcollective
 *
 * @param[in]     X       the matrix, after FeatureMatSetData()
 * @param[out]    Pr      blocks of samples
 * @param[out]    Pc      blocks of features: with types without a grid all ranks, and Pr is 1
 */
PetscErrorCode FeatureMatGetGrid(FeatureMat X, PetscInt *Pr, PetscInt *Pc);
/**
 * Chooses how FEATUREMATGRID stores its blocks; other types ignore it.
 *
 * @logicallycollective
 *
 * @param[in]     X        the matrix, before FeatureMatSetData()
 * @param[in]     storage  FEATUREMAT_STORAGE_AUTO, _SPARSE or _DENSE
 *
 * @option{-data_storage auto|sparse|dense}
 */
PetscErrorCode FeatureMatSetStorage(FeatureMat X, FeatureMatStorage storage);
/**
 * Gives the number of entries that are stored on all ranks; either pointer may be NULL.
 *
 * @notcollective
 *
 * @param[in]     X       the matrix, after FeatureMatSetData()
 * @param[out]    sparse  entries with their places
 * @param[out]    dense   entries of dense blocks, zeros among them
 */
PetscErrorCode FeatureMatGetStored(FeatureMat X, PetscInt64 *sparse, PetscInt64 *dense);
/**
 * Sets how many rows of W this rank has, so that several matrices act on the same W.
 *
 * @collective
 *
 * @param[in]     X       the matrix, before FeatureMatSetData()
 * @param[in]     plocal  number of rows, with that of a bias; PETSC_DECIDE: as the type likes it
 */
PetscErrorCode FeatureMatSetLocalFeatures(FeatureMat X, PetscInt plocal);
/**
 * Gives every rank the same number of rows of W where FeatureMatSetLocalFeatures() leaves it open, whatever
 * the entries: for matrices of different samples that are to be laid out alike.
 *
 * @logicallycollective
 *
 * @param[in]     X       the matrix, before FeatureMatSetData()
 * @param[in]     even    the same number, else as the type likes it
 */
PetscErrorCode FeatureMatSetEven(FeatureMat X, PetscBool even);
/**
 * Prints type and sizes; viewers that do not print text are ignored.
 *
 * @collective
 *
 * @param[in]     X       the matrix
 * @param[in]     viewer  where to, NULL for standard output
 */
PetscErrorCode FeatureMatView(FeatureMat X, PetscViewer viewer);

/**
 * Builds X from samples for blocks of c columns.
 *
 * @collective
 *
 * @param[in,out] X       the matrix, its type set; data it had are dropped
 * @param[in]     ds      samples on the same ranks; the set is not kept
 * @param[in]     c       number of columns of W and Z, at least 1
 * @param[in]     bias    append a column of ones as feature p
 *
 * @raises PETSC_ERR_ARG_TYPENOTSET the matrix has no type
 * @raises PETSC_ERR_ARG_OUTOFRANGE c is not positive
 * @raises PETSC_ERR_ARG_WRONGSTATE the data set is empty
 * @raises PETSC_ERR_ARG_INCOMP the grid's blocks are not as many as the ranks
 */
PetscErrorCode FeatureMatSetData(FeatureMat X, DataSet ds, PetscInt c, PetscBool bias);

/**
 * Gives the global sizes, 0 before FeatureMatSetData(); any of the pointers may be NULL.
 *
 * @notcollective
 *
 * @param[in]     X       the matrix
 * @param[out]    n       number of samples, rows of Z
 * @param[out]    p       rows of W: number of features, with bias one more
 * @param[out]    c       columns of W and Z
 */
PetscErrorCode FeatureMatGetSizes(FeatureMat X, PetscInt *n, PetscInt *p, PetscInt *c);

/**
 * Gives the number of entries, with those of a bias.
 *
 * @notcollective
 *
 * @param[in]     X       the matrix, after FeatureMatSetData()
 * @param[out]    nnz     number of entries on all ranks
 */
PetscErrorCode FeatureMatGetNonzeros(FeatureMat X, PetscInt64 *nnz);

/**
 * Gives the number of rows of W on this rank.
 *
 * @notcollective
 *
 * @param[in]     X       the matrix, after FeatureMatSetData()
 * @param[out]    plocal  number of rows, with that of a bias
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE there are no data yet
 */
PetscErrorCode FeatureMatGetLocalFeatures(FeatureMat X, PetscInt *plocal);

/**
 * Gives the class of each of this rank's rows of Z; either pointer may be NULL.
 *
 * @notcollective
 *
 * @param[in]     X       the matrix, after FeatureMatSetData()
 * @param[out]    nlocal  number of this rank's rows
 * @param[out]    label   class 0..c-1 of each, borrowed (nlocal entries); NULL where labels are targets
 */
PetscErrorCode FeatureMatGetLabels(FeatureMat X, PetscInt *nlocal, const PetscInt *label[]);

/**
 * Gives the target of each of this rank's rows of Z, where labels are targets; either pointer may be NULL.
 *
 * @notcollective
 *
 * @param[in]     X       the matrix, after FeatureMatSetData()
 * @param[out]    nlocal  number of this rank's rows
 * @param[out]    target  real number for each, borrowed (nlocal entries); NULL where labels are classes
 */
PetscErrorCode FeatureMatGetTargets(FeatureMat X, PetscInt *nlocal, const PetscReal *target[]);

/**
 * Makes vectors of W's and Z's layout.
 *
 * @collective
 *
 * @param[in]     X       the matrix, after FeatureMatSetData()
 * @param[out]    W       new vector, p x c, interlaced, block size c, by features; may be NULL
 * @param[out]    Z       new vector, n x c, interlaced, block size c, by samples; may be NULL
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE there are no data yet
 */
PetscErrorCode FeatureMatCreateVecs(FeatureMat X, Vec *W, Vec *Z);

/**
 * Multiplies: Z = X W.
 *
 * @collective
 *
 * @param[in]     X       the matrix, after FeatureMatSetData()
 * @param[in]     W       block of c columns by features (p x c)
 * @param[out]    Z       product by samples (n x c)
 */
PetscErrorCode FeatureMatMult(FeatureMat X, Vec W, Vec Z);
/**
 * Multiplies by the transpose: G = X^T R.
 *
 * @collective
 *
 * @param[in]     X       the matrix, after FeatureMatSetData()
 * @param[in]     R       block of c columns by samples, laid out as Z (n x c)
 * @param[out]    G       product by features, laid out as W (p x c)
 */
PetscErrorCode FeatureMatMultTranspose(FeatureMat X, Vec R, Vec G);

/**
 * Multiplies by the transpose of X squared entry by entry: G_jk = sum_i X_ij^2 R_ik, the diagonal of
 * Hessians.
 *
 * The squares are kept from the first such product on: as much memory as X itself.
 *
 * @collective
 *
 * @param[in]     X       the matrix, after FeatureMatSetData()
 * @param[in]     R       block of c columns by samples, laid out as Z (n x c)
 * @param[out]    G       product by features, laid out as W (p x c)
 *
 * @raises PETSC_ERR_SUP the kernels have no such product
 */
PetscErrorCode FeatureMatMultTransposeSquared(FeatureMat X, Vec R, Vec G);

/**
 * Gives ||X||, the largest singular value, computed once by Lanczos' method on X^T X or X X^T, the smaller of
 * them.
 *
 * The residual is added, so that in practice the value bounds ||X|| from above: a Ritz value alone is a bound
 * from below.
 *
 * @collective
 *
 * @param[in]     X       the matrix
 * @param[out]    norm    ||X|| with what it cost; error is what was added
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE there are no data yet
 */
PetscErrorCode FeatureMatGetNorm(FeatureMat X, TwofoldConstant *norm);

/**
 * Gives the largest norm of a sample, the bias's 1 counted in.
 *
 * @notcollective
 *
 * @param[in]     X       the matrix, after FeatureMatSetData()
 * @param[out]    norm    max ||x_i||
 */
PetscErrorCode FeatureMatGetRowNorm(FeatureMat X, PetscReal *norm);

/**
 * Gives the memory of this rank's part of the matrix.
 *
 * @notcollective
 *
 * @param[in]     X       the matrix, after FeatureMatSetData()
 * @param[out]    bytes   bytes this rank holds
 */
PetscErrorCode FeatureMatGetMemory(FeatureMat X, PetscLogDouble *bytes);

/**
 * Adds a type of kernels.
 *
 * @notcollective
 *
 * @param[in]     type    its name
 * @param[in]     create  fills the table of ops (twofold/impl/featurematimpl.h) of a matrix
 */
PetscErrorCode FeatureMatRegister(const char type[], PetscErrorCode (*create)(FeatureMat));
/**
 * Gives the names of all registered types.
 *
 * @notcollective
 *
 * @param[out]    n       number of types
 * @param[out]    types   their names; free the array (not the names) with PetscFree()
 */
PetscErrorCode FeatureMatGetRegistered(PetscInt *n, const char ***types);

#if defined(__cplusplus)
}
#endif
#endif
