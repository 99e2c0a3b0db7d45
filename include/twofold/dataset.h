#ifndef TWOFOLD_DATASET_H
#define TWOFOLD_DATASET_H
/* DataSet: labelled samples in memory, rows distributed by samples. */
#include <petscvec.h>
#include <petscviewer.h>
#include <twofold/sys.h>

#if defined(__cplusplus)
extern "C" {
#endif

typedef struct _p_DataSet *DataSet;

/* Formats known from the start; more by DataSetRegister(). */
typedef const char *DataSetFormat;
#define DATASETSVMLIGHT "svmlight" /* SVMLight/LIBSVM text */
#define DATASETBINARY   "binary"   /* PETSc binary: a Mat (n x p), then a Vec of labels (n) */
#define DATASETTEXT     "text"     /* corpus: a folder per class, a file per document */
#define DATASETIDX      "idx"      /* IDX images and labels, plain or gzip */
#define DATASETCSV      "csv"      /* separated values with a column of labels */
#define DATASETHDF5     "hdf5"     /* HDF5: X dense (n x p) or CSR, labels y (n) */

/* Ways to split one data set into training, validation and test parts (DataSetSplit()). */
typedef struct {
  char kind[64];        /* "third", "bydate", or fractions "0.6,0.2,0.2" (one to three, sum <= 1) */
  PetscInt64 seed;      /* key of the random order */
  PetscBool stratified; /* each class is split by itself */
} DataSetSplitRule;

/** How features are scaled by what the training samples have (DataSetComputeScaling()). */
typedef enum {
  DATASET_SCALE_NONE,    /**< left as they are */
  DATASET_SCALE_UNIT,    /**< divided by the largest absolute value; what is not stored stays so */
  DATASET_SCALE_STANDARD /**< mean 0 and variance 1; makes the data dense */
} DataSetScale;
/** Names of the kinds: "none", "unit", "standard". */
extern const char *const DataSetScales[];

PetscErrorCode DataSetCreate(MPI_Comm comm, DataSet *ds);
PetscErrorCode DataSetDestroy(DataSet *ds);
PetscErrorCode DataSetSetOptionsPrefix(DataSet ds, const char prefix[]);
PetscErrorCode DataSetSetFromOptions(DataSet ds);
PetscErrorCode DataSetView(DataSet ds, PetscViewer viewer);

/* Chooses the reader; without it, or with "auto", the file decides (folder: text; IDX, PETSc or HDF5 magic
   number; csv by its name or first line; else svmlight). Option -data_format. Logically collective. */
PetscErrorCode DataSetSetFormat(DataSet ds, DataSetFormat format);

/* First index of SVMLight files: 0, 1, or -1 to decide by whether an index 0 occurs. Option -data_index_base.
   Logically collective. */
PetscErrorCode DataSetSetIndexBase(DataSet ds, PetscInt base);
/* After DataSetLoad(): the base that was found. */
PetscErrorCode DataSetGetIndexBase(DataSet ds, PetscInt *base);
/* After DataSetLoad(): whether the file was of this format. */
PetscErrorCode DataSetIsFormat(DataSet ds, DataSetFormat format, PetscBool *is);

/* Reads a file or folder in parallel. Raises PETSC_ERR_FILE_OPEN (missing) or PETSC_ERR_FILE_UNEXPECTED (bad
   content, naming file and line) on every rank. Collective. */
PetscErrorCode DataSetLoad(DataSet ds, const char path[]);

/* Writes ds: name ending in `.bin` as PETSc binary, `.h5` as HDF5, else SVMLight with 1-based indices and 17
   digits. Collective. */
PetscErrorCode DataSetWrite(DataSet ds, const char path[]);

/* Gives this rank's rows: CSR (rowptr of nlocal + 1, global columns increasing in a row, values) and a label
   each; arrays are copied. p is the number of features; fixed_width says that p is exact and not only the
   largest index seen. Collective. */
PetscErrorCode DataSetSetRows(DataSet ds, PetscInt nlocal, const PetscInt rowptr[], const PetscInt col[],
                              const PetscScalar val[], const PetscReal label[], PetscInt p,
                              PetscBool fixed_width);

/* Global sizes: samples n, features p, classes c; any pointer may be NULL. Not collective. */
PetscErrorCode DataSetGetSizes(DataSet ds, PetscInt *n, PetscInt *p, PetscInt *c);

/* This rank's rows, borrowed: rowptr (nlocal + 1), global columns, values, class 0..c-1 of each row. */
PetscErrorCode DataSetGetRows(DataSet ds, PetscInt *nlocal, const PetscInt **rowptr, const PetscInt **col,
                              const PetscScalar **val, const PetscInt **label);

/* Original label of each class, in class order (c values). Not collective. */
PetscErrorCode DataSetGetClasses(DataSet ds, const PetscReal *value[], const char *const *name[]);

/**
 * Names of this rank's samples, where they have some: the documents of a text corpus read by
 * DataSetReadLike().
 *
 * @notcollective
 *
 * @param[in]     ds      samples
 * @param[out]    names   0-terminated strings one behind the other, borrowed; NULL where there are none
 */
PetscErrorCode DataSetGetNames(DataSet ds, const char **names);

/* Makes sets (training first; NULLs are skipped) agree on features and classes: p is the largest where
   formats are not of fixed width, the classes are the training set's. Raises PETSC_ERR_FILE_UNEXPECTED where
   widths differ, a label is not among the training set's, or there are fewer than two classes. Collective. */
PetscErrorCode DataSetAgree(PetscInt nsets, DataSet sets[]);

/* New set of the rows with keep[local row] true, in their global order, dealt evenly over the ranks.
   Collective. */
PetscErrorCode DataSetSelect(DataSet ds, const PetscBool keep[], DataSet *part);

/* Splits by the rule into training, validation and test parts (NULL where the rule gives no such part). Keys
   are (seed, global index): the same split on any number of ranks. Collective. */
PetscErrorCode DataSetSplit(DataSet ds, const DataSetSplitRule *rule, DataSet parts[3]);

/**
 * Deals the samples to F folds for cross-validation.
 *
 * Keys are (seed, global index): the same folds on any number of ranks. Sizes differ by at most one, and so
 * do with `stratified` the numbers of samples of each class.
 *
 * @collective
 *
 * @param[in]     ds          the samples
 * @param[in]     F           number of folds, 2 .. n
 * @param[in]     seed        key of the random order
 * @param[in]     stratified  deal each class by itself
 * @param[out]    fold        fold 0 .. F - 1 of each of this rank's samples; DataSetSelect() makes sets of
 * them
 *
 * @raises{PETSC_ERR_ARG_OUTOFRANGE, fewer than two folds or more folds than samples}
 */
PetscErrorCode DataSetFold(DataSet ds, PetscInt F, PetscInt64 seed, PetscBool stratified, PetscInt fold[]);

/** What DataSetConform() could not fit. */
typedef struct {
  PetscInt features;   /**< features beyond those of the model */
  PetscInt64 entries;  /**< their entries, which were dropped */
  PetscInt samples;    /**< samples that had some */
  PetscInt unlabelled; /**< samples whose label is none of the model's classes */
} DataSetMisfit;

/**
 * Makes a set without samples that remembers how ds was read and encoded.
 *
 * @collective
 *
 * @param[in]     ds      training samples
 * @param[out]    like    new set: format, index base, features, classes
 */
PetscErrorCode DataSetCreateLike(DataSet ds, DataSet *like);

/**
 * Lets DataSetLoad() of ds read as the samples behind `like` were read.
 *
 * A text corpus gets features from their vocabulary, and may be documents without class folders.
 *
 * @logicallycollective
 *
 * @param[in,out] ds      set to be loaded
 * @param[in]     like    of DataSetCreateLike(); its index base counts where ds has none set
 *
 * @raises{PETSC_ERR_ARG_INCOMP, ds is to weigh tokens in another way}
 */
PetscErrorCode DataSetReadLike(DataSet ds, DataSet like);

/**
 * Gives ds the features and classes of other samples, so that a model of theirs applies.
 *
 * Where the format does not fix the number of features, missing ones are zero and entries of features beyond
 * the last are dropped. Classes 0..c-1 become those of `like`; labels it does not have follow as classes c
 * and above.
 *
 * @collective
 *
 * @param[in,out] ds      samples
 * @param[in]     like    of DataSetCreateLike()
 * @param[out]    misfit  what did not fit; may be NULL
 *
 * @raises{PETSC_ERR_FILE_UNEXPECTED, the format fixes another number of features\, or it is a text corpus
 * that was read with another vocabulary}
 */
PetscErrorCode DataSetConform(DataSet ds, DataSet like, DataSetMisfit *misfit);

/**
 * Computes the shift and scale of every feature from the training samples.
 *
 * `unit`: no shift, and one over the largest absolute value; 1 for a feature that is zero throughout.
 * `standard`: the mean, and one over the standard deviation, with the variance of the population (divided by
 * n); a feature that is constant in training gets scale 0, so that it is zero in every set. Means and
 * variances take two passes and agree on any number of ranks to rounding, largest values exactly.
 *
 * @collective
 *
 * @param[in]     train   training samples
 * @param[in]     kind    what to compute
 * @param[out]    shift   new vector of p entries (PETSC_DECIDE); NULL where features are not centred
 * @param[out]    scale   new vector of p entries (PETSC_DECIDE); NULL for DATASET_SCALE_NONE
 *
 * @raises{PETSC_ERR_ARG_WRONGSTATE, there are no samples}
 * @raises{PETSC_ERR_FILE_UNEXPECTED, the scale of a feature overflows}
 * @option{-data_scale none|unit|standard}
 * @equation{x' = (x - shift) * scale}
 */
PetscErrorCode DataSetComputeScaling(DataSet train, DataSetScale kind, Vec *shift, Vec *scale);

/**
 * Replaces every sample x by (x - shift) * scale, in place.
 *
 * Without a shift only stored entries are touched. With one the data become dense; that is refused where it
 * would take more than 1 GB on a rank. Each rank gathers only the features that its rows have.
 *
 * @collective
 *
 * @param[in,out] ds      samples with as many features as the vectors have entries
 * @param[in]     shift   of any layout on the set's ranks; may be NULL
 * @param[in]     scale   likewise; may be NULL where shift is, and then nothing happens
 *
 * @raises{PETSC_ERR_ARG_WRONGSTATE, the set is empty or was scaled before}
 * @raises{PETSC_ERR_ARG_SIZ, another number of features}
 * @raises{PETSC_ERR_ARG_OUTOFRANGE, the dense data would be too large}
 */
PetscErrorCode DataSetApplyScaling(DataSet ds, Vec shift, Vec scale);

/* Adds a format: load() fills the set by DataSetSetRows(). Not collective. */
PetscErrorCode DataSetRegister(const char format[], PetscErrorCode (*load)(DataSet ds, const char path[]));

#if defined(__cplusplus)
}
#endif
#endif
