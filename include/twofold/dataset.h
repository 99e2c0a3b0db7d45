#ifndef TWOFOLD_DATASET_H
#define TWOFOLD_DATASET_H
/* DataSet: labelled samples in memory, rows distributed by samples. */
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

/* Ways to split one data set into training, validation and test parts (DataSetSplit()). */
typedef struct {
  char kind[64];        /* "third", "bydate", or fractions "0.6,0.2,0.2" (one to three, sum <= 1) */
  PetscInt64 seed;      /* key of the random order */
  PetscBool stratified; /* each class is split by itself */
} DataSetSplitRule;

PetscErrorCode DataSetCreate(MPI_Comm comm, DataSet *ds);
PetscErrorCode DataSetDestroy(DataSet *ds);
PetscErrorCode DataSetSetOptionsPrefix(DataSet ds, const char prefix[]);
PetscErrorCode DataSetSetFromOptions(DataSet ds);
PetscErrorCode DataSetView(DataSet ds, PetscViewer viewer);

/* Chooses the reader; without it, or with "auto", the file decides (folder: text; IDX or PETSc magic number;
   else svmlight). Option -data_format. Logically collective. */
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

/* Writes ds: name ending in `.bin` as PETSc binary, else SVMLight with 1-based indices and 17 digits.
   Collective. */
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

/* Adds a format: load() fills the set by DataSetSetRows(). Not collective. */
PetscErrorCode DataSetRegister(const char format[], PetscErrorCode (*load)(DataSet ds, const char path[]));

#if defined(__cplusplus)
}
#endif
#endif
