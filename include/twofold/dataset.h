#ifndef TWOFOLD_DATASET_H
#define TWOFOLD_DATASET_H
/**
 * @file
 * DataSet: labelled samples in memory, rows distributed by samples.
 *
 * Samples are sparse rows of n x p features with a label each; the distinct labels are the classes 0..c-1, or
 * the labels are targets: real numbers (DataSetSetTargets()).
 * A set is read from a file or given as rows, split, scaled, and made to fit other sets.
 */
#include <petscvec.h>
#include <petscviewer.h>
#include <twofold/sys.h>

#if defined(__cplusplus)
extern "C" {
#endif

/** Handle of a data set, a PETSc object. */
typedef struct _p_DataSet *DataSet;

/** Name of a format; those below are known from the start, more come by DataSetRegister(). */
typedef const char *DataSetFormat;
#define DATASETSVMLIGHT "svmlight" /**< SVMLight/LIBSVM text */
#define DATASETBINARY   "binary"   /**< PETSc binary: a Mat (n x p), then a Vec of labels (n) */
#define DATASETTEXT     "text"     /**< corpus: a folder per class, a file per document */
#define DATASETIDX      "idx"      /**< IDX images and labels, plain or gzip */
#define DATASETCSV      "csv"      /**< separated values with a column of labels */
#define DATASETHDF5     "hdf5"     /**< HDF5: X dense (n x p) or CSR, labels y (n) */

/** A way to split one data set into training, validation and test parts (DataSetSplit()). */
typedef struct {
  char kind[64];        /**< "third", "bydate", or fractions "0.6,0.2,0.2" (one to three, sum <= 1) */
  PetscInt64 seed;      /**< key of the random order */
  PetscBool stratified; /**< each class is split by itself */
} DataSetSplitRule;

/** What the labels of synthetic samples are. */
typedef enum {
  DATASET_SYNTHETIC_REGRESSION, /**< targets y */
  DATASET_SYNTHETIC_SIGN        /**< classes: the sign of y, -1 or 1 */
} DataSetSyntheticKind;
/** Names of the kinds: "regression", "sign"; laid out as for PetscOptionsEnum(). */
extern const char *const DataSetSyntheticKinds[];

/** Samples to be made (DataSetCreateSynthetic()). */
typedef struct {
  PetscInt n;                /**< number of samples */
  PetscInt p;                /**< number of features */
  PetscReal noise;           /**< standard deviation of what is added to X w* */
  DataSetSyntheticKind kind; /**< what the labels are */
  PetscInt64 seed;           /**< key of all random numbers */
} DataSetSyntheticRule;

/** Text to be made (DataSetCreateSyntheticText()). */
typedef struct {
  PetscInt n;       /**< number of documents */
  PetscInt p;       /**< number of features: words */
  PetscInt c;       /**< number of classes */
  PetscReal length; /**< mean number of words of a document, repetitions counted */
  PetscReal zipf;   /**< S of P(r) ~ 1 / r^S */
  PetscReal topic;  /**< share of a document's words that its class prefers */
  PetscInt64 seed;  /**< key of all random numbers */
} DataSetSyntheticTextRule;

/** How features are scaled by what the training samples have (DataSetComputeScaling()). */
typedef enum {
  DATASET_SCALE_NONE,    /**< left as they are */
  DATASET_SCALE_UNIT,    /**< divided by the largest absolute value; what is not stored stays so */
  DATASET_SCALE_STANDARD /**< mean 0 and variance 1; makes the data dense */
} DataSetScale;
/** Names of the kinds: "none", "unit", "standard"; laid out as for PetscOptionsEnum(). */
extern const char *const DataSetScales[];

/**
 * Makes a set without samples.
 *
 * @collective
 *
 * @param[in]     comm    communicator to distribute samples over
 * @param[out]    ds      new set; free with DataSetDestroy()
 */
PetscErrorCode DataSetCreate(MPI_Comm comm, DataSet *ds);
/**
 * Drops a reference; the last one frees the set and what it lent.
 *
 * @collective
 *
 * @param[in,out] ds      the set, NULL afterwards; a set of NULL is accepted
 */
PetscErrorCode DataSetDestroy(DataSet *ds);
/**
 * Sets what stands before the names of the set's options.
 *
 * @logicallycollective
 *
 * @param[in]     ds      the set
 * @param[in]     prefix  the owner's prefix, or NULL
 */
PetscErrorCode DataSetSetOptionsPrefix(DataSet ds, const char prefix[]);
/**
 * Reads the options that say how files are read; they count for the next DataSetLoad().
 *
 * `-data_features` is the number of features at least, `-data_labels` an IDX file of labels, `-data_label`
 * the column of labels of csv files.
 *
 * @collective
 *
 * @param[in]     ds      the set
 *
 * @raises PETSC_ERR_ARG_UNKNOWN_TYPE the format is not registered
 * @raises PETSC_ERR_ARG_OUTOFRANGE a value is not one of those an option takes
 * @option{-data_format F}
 * @option{-data_index_base B}
 * @option{-data_features P}
 * @option{-data_labels FILE}
 * @option{-data_csv_separator C}
 * @option{-data_csv_header BOOL}
 * @option{-data_csv_drop COLUMNS}
 * @option{-data_label COLUMN}
 * @option{-data_hdf5_x NAME}
 * @option{-data_hdf5_y NAME}
 * @option{-text_weight count|tfidf}
 */
PetscErrorCode DataSetSetFromOptions(DataSet ds);
/**
 * Prints source, format, sizes and the number of samples of each class.
 *
 * A set without samples prints nothing; viewers that do not print text are ignored.
 *
 * @collective
 *
 * @param[in]     ds      the set
 * @param[in]     viewer  where to, NULL for standard output
 */
PetscErrorCode DataSetView(DataSet ds, PetscViewer viewer);

/**
 * Chooses the reader.
 *
 * Without it, or with "auto", the file decides: folder, text; IDX, PETSc or HDF5 by the magic number; csv by
 * its name or first line; else svmlight.
 *
 * @logicallycollective
 *
 * @param[in]     ds      the set
 * @param[in]     format  DATASETSVMLIGHT, DATASETBINARY, ..., a registered name, or "auto"
 *
 * @raises PETSC_ERR_ARG_UNKNOWN_TYPE the format is not registered
 * @option{-data_format F}
 */
PetscErrorCode DataSetSetFormat(DataSet ds, DataSetFormat format);

/**
 * Sets the first index of SVMLight files.
 *
 * @logicallycollective
 *
 * @param[in]     ds      the set
 * @param[in]     base    0, 1, or -1 to decide by whether an index 0 occurs
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE another number
 * @option{-data_index_base B}
 */
PetscErrorCode DataSetSetIndexBase(DataSet ds, PetscInt base);

/**
 * Gives the first index of SVMLight files: after DataSetLoad() the one that was found.
 *
 * @notcollective
 *
 * @param[in]     ds      the set
 * @param[out]    base    0 or 1; -1 where nothing decided yet
 */
PetscErrorCode DataSetGetIndexBase(DataSet ds, PetscInt *base);

/**
 * Tells whether a file was of some format, after DataSetLoad().
 *
 * Before it, whether this format was chosen.
 *
 * @notcollective
 *
 * @param[in]     ds      the set
 * @param[in]     format  the format to compare with
 * @param[out]    is      whether it is that one
 */
PetscErrorCode DataSetIsFormat(DataSet ds, DataSetFormat format, PetscBool *is);

/**
 * Reads a file or folder in parallel; samples the set had are dropped.
 *
 * Errors are raised on every rank.
 *
 * @collective
 *
 * @param[in,out] ds      the set
 * @param[in]     path    the file, or folder of a text corpus
 *
 * @raises PETSC_ERR_FILE_OPEN it is missing, or must not be read
 * @raises PETSC_ERR_FILE_UNEXPECTED bad content (names file and line), or labels of more than 65536 values
 * @raises PETSC_ERR_ARG_OUTOFRANGE -data_features is more than the format says there are
 * @raises PETSC_ERR_SUP an HDF5 file with a PETSc that was built without HDF5
 */
PetscErrorCode DataSetLoad(DataSet ds, const char path[]);

/**
 * Writes a set to a file.
 *
 * A name ending in `.bin` makes it PETSc binary, `.h5` HDF5, any other SVMLight with 1-based indices and 17
 * digits.
 *
 * @collective
 *
 * @param[in]     ds      the samples
 * @param[in]     path    the file
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE the set is empty
 * @raises PETSC_ERR_FILE_OPEN the file cannot be opened
 * @raises PETSC_ERR_FILE_WRITE it cannot be written in full
 * @raises PETSC_ERR_SUP .h5 with a PETSc that was built without HDF5
 */
PetscErrorCode DataSetWrite(DataSet ds, const char path[]);

/**
 * Gives this rank's rows in CSR form and a label for each; the arrays are copied.
 *
 * Samples the set had are dropped.
 *
 * @collective
 *
 * @param[in,out] ds           the set
 * @param[in]     nlocal       number of this rank's rows
 * @param[in]     rowptr       begin of each row in `col` and `val`, and the end (nlocal + 1 entries)
 * @param[in]     col          global columns, increasing in a row, in [0, p)
 * @param[in]     val          values, as many as columns
 * @param[in]     label        label of each row (nlocal entries)
 * @param[in]     p            number of features, the same on every rank
 * @param[in]     fixed_width  whether p is exact and not only the largest index seen
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE columns of some rank do not increase or are not in [0, p)
 * @raises PETSC_ERR_FILE_UNEXPECTED the labels take more than 65536 values
 */
PetscErrorCode DataSetSetRows(DataSet ds, PetscInt nlocal, const PetscInt rowptr[], const PetscInt col[],
                              const PetscScalar val[], const PetscReal label[], PetscInt p,
                              PetscBool fixed_width);

/**
 * Lets the labels be targets, real numbers that are kept as they are, or classes, as they are from the start.
 *
 * It counts for the samples the set gets; those it has are changed.
 *
 * @collective
 *
 * @param[in,out] ds       the set
 * @param[in]     targets  whether labels are targets
 *
 * @raises PETSC_ERR_FILE_UNEXPECTED labels are names, which are no targets (also raised by DataSetLoad());
 * or targets take more than 65536 values, which are no classes
 */
PetscErrorCode DataSetSetTargets(DataSet ds, PetscBool targets);

/**
 * Gives the target of each of this rank's rows.
 *
 * @notcollective
 *
 * @param[in]     ds      the set
 * @param[out]    target  a number for each row, borrowed; NULL where there are no samples or labels are
 *                        classes
 */
PetscErrorCode DataSetGetTargets(DataSet ds, const PetscReal *target[]);

/**
 * Makes samples of a linear model with Gaussian features: X_ij, w*_j, e_i ~ N(0, 1).
 *
 * Every number is keyed by (seed, global index): the same samples on any number of ranks. Parts of one seed
 * are different samples of the same w*.
 *
 * @collective
 *
 * @param[in]     comm    communicator to distribute samples over
 * @param[in]     rule    sizes, noise, kind of labels and seed
 * @param[in]     part    which samples of the model: 0 training, 1 validation, 2 test, or any other number
 *                        that is not negative
 * @param[out]    ds      new set, with targets or with the classes -1 and 1; free with DataSetDestroy()
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE there is no sample or no feature, or the noise is negative
 * @option{-blp_synthetic_n N}
 * @option{-blp_synthetic_p P}
 * @option{-blp_synthetic_noise S}
 * @option{-blp_synthetic_kind regression|sign}
 * @option{-blp_seed S}
 * @equation{y = X w* + noise e\, or its sign}
 */
PetscErrorCode DataSetCreateSynthetic(MPI_Comm comm, const DataSetSyntheticRule *rule, PetscInt part,
                                      DataSet *ds);

/**
 * Makes text of any size: bags of words by Zipf's law, in classes that prefer different words.
 *
 * Lengths are lognormal, exp(z - 1/2) times the mean with z ~ N(0, 1); document i is of class i mod c; a word
 * is the r-th, with probability ~ 1 / r^S, in the order of its class with probability `topic`, else in an
 * order that all share. Rows are counts of words divided by their 2-norm, as those of DATASETTEXT. Every
 * number is keyed by (seed, global index): the same text on any number of ranks; parts of one seed are
 * different documents by the same law. Takes time and memory by the number of words made, and no more by p or
 * c.
 *
 * @collective
 *
 * @param[in]     comm    communicator to distribute documents over
 * @param[in]     rule    sizes, law and seed
 * @param[in]     part    which documents: 0 training, 1 validation, 2 test, or any other number that is not
 *                        negative
 * @param[out]    ds      new set, with the classes 0..c-1; free with DataSetDestroy()
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE there is no document, no feature or no class, a number of the law is out
 * of its range, or a rank's words are more than PetscInt can count
 * @option{-blp_synthetic_n N}
 * @option{-blp_synthetic_p P}
 * @option{-blp_synthetic_classes C}
 * @option{-blp_synthetic_length M}
 * @option{-blp_synthetic_zipf S}
 * @option{-blp_synthetic_topic T}
 * @option{-blp_seed S}
 * @equation{P(r) ~ 1 / r^S}
 */
PetscErrorCode DataSetCreateSyntheticText(MPI_Comm comm, const DataSetSyntheticTextRule *rule, PetscInt part,
                                          DataSet *ds);

/**
 * Gives the global sizes, 0 where there are no samples; any of the pointers may be NULL.
 *
 * @notcollective
 *
 * @param[in]     ds      the set
 * @param[out]    n       number of samples
 * @param[out]    p       number of features
 * @param[out]    c       number of classes; 0 where labels are targets
 */
PetscErrorCode DataSetGetSizes(DataSet ds, PetscInt *n, PetscInt *p, PetscInt *c);

/**
 * Gives this rank's rows, borrowed until the set changes; any of the pointers may be NULL.
 *
 * @notcollective
 *
 * @param[in]     ds      the set
 * @param[out]    nlocal  number of this rank's rows
 * @param[out]    rowptr  begin of each row in `col` and `val`, and the end (nlocal + 1 entries)
 * @param[out]    col     global columns, increasing in a row
 * @param[out]    val     values
 * @param[out]    label   class 0..c-1 of each row (nlocal entries); NULL where labels are targets
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE the set is empty
 */
PetscErrorCode DataSetGetRows(DataSet ds, PetscInt *nlocal, const PetscInt **rowptr, const PetscInt **col,
                              const PetscScalar **val, const PetscInt **label);

/**
 * Gives the original label of each class, in class order; either pointer may be NULL.
 *
 * @notcollective
 *
 * @param[in]     ds      the set
 * @param[out]    value   the label as a number, borrowed (c values)
 * @param[out]    name    its name, borrowed (c strings); NULL where labels are numbers
 */
PetscErrorCode DataSetGetClasses(DataSet ds, const PetscReal *value[], const char *const *name[]);

/**
 * Gives the names of this rank's samples, where they have some: the documents of a text corpus read by
 * DataSetReadLike().
 *
 * @notcollective
 *
 * @param[in]     ds      samples
 * @param[out]    names   0-terminated strings one behind the other, borrowed; NULL where there are none
 */
PetscErrorCode DataSetGetNames(DataSet ds, const char **names);

/**
 * Makes sets agree on features and classes.
 *
 * The number of features p is the largest where formats are not of fixed width, the classes are the training
 * set's. Labels are targets in all of them where they are in the training set.
 *
 * @collective
 *
 * @param[in]     nsets   number of sets
 * @param[in,out] sets    the sets, training first; NULLs behind it are skipped
 *
 * @raises PETSC_ERR_FILE_UNEXPECTED widths differ, there is no feature, a label is not among the training
 * set's, or there are fewer than two classes
 */
PetscErrorCode DataSetAgree(PetscInt nsets, DataSet sets[]);

/**
 * Makes a set of some of the samples, in their global order, dealt evenly over the ranks.
 *
 * Classes without a sample among them are no classes of the new set.
 *
 * @collective
 *
 * @param[in]     ds      the samples
 * @param[in]     keep    whether to take each of this rank's rows
 * @param[out]    part    new set; free with DataSetDestroy()
 */
PetscErrorCode DataSetSelect(DataSet ds, const PetscBool keep[], DataSet *part);

/**
 * Splits a set into training, validation and test parts.
 *
 * Keys are (seed, global index): the same split on any number of ranks. "third" makes parts of the same size
 * and leaves the remainder out; "bydate" takes a corpus's own -train and -test folders as training and
 * validation parts.
 *
 * @collective
 *
 * @param[in]     ds      the samples
 * @param[in]     rule    how to split
 * @param[out]    parts   three new sets, NULL where the rule gives no such part; free with DataSetDestroy()
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE the set is empty
 * @raises PETSC_ERR_ARG_OUTOFRANGE there is no such rule, or fractions are not positive with a sum of at most
 * 1
 * @raises PETSC_ERR_ARG_INCOMP stratified, and the labels are targets
 * @raises PETSC_ERR_ARG_WRONG "bydate", and the set is no corpus with a -train and a -test folder
 * @raises PETSC_ERR_FILE_UNEXPECTED a part is empty: there are too few samples
 * @option{-blp_split RULE}
 * @option{-blp_seed S}
 * @option{-blp_stratified}
 */
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
 * @param[out]    fold        fold 0 .. F - 1 of each of this rank's samples, an array of the caller's;
 *                            DataSetSelect() makes sets of them
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE the set is empty
 * @raises PETSC_ERR_ARG_OUTOFRANGE fewer than two folds or more folds than samples
 * @raises PETSC_ERR_ARG_INCOMP stratified, and the labels are targets
 * @option{-blp_folds F}
 * @option{-blp_seed S}
 * @option{-blp_stratified}
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
 * @param[out]    like    new set: format, index base, features, classes; free with DataSetDestroy()
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
 * @raises PETSC_ERR_ARG_INCOMP ds is to weigh tokens in another way
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
 * @raises PETSC_ERR_ARG_WRONGSTATE the set is empty
 * @raises PETSC_ERR_FILE_UNEXPECTED the format fixes another number of features, or it is a text corpus
 * that was read with another vocabulary
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
 * @param[out]    shift   new vector of p entries (PETSC_DECIDE); NULL where features are not centred. Free
 * with VecDestroy()
 * @param[out]    scale   new vector likewise; NULL for DATASET_SCALE_NONE
 *
 * @raises PETSC_ERR_ARG_WRONGSTATE there are no samples
 * @raises PETSC_ERR_FILE_UNEXPECTED the scale of a feature overflows
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
 * @raises PETSC_ERR_ARG_WRONGSTATE the set is empty or was scaled before
 * @raises PETSC_ERR_ARG_SIZ another number of features
 * @raises PETSC_ERR_ARG_OUTOFRANGE the dense data would be too large
 */
PetscErrorCode DataSetApplyScaling(DataSet ds, Vec shift, Vec scale);

/**
 * Adds a format.
 *
 * @notcollective
 *
 * @param[in]     format  its name
 * @param[in]     load    reads a file and fills the set by DataSetSetRows(); called by DataSetLoad() on all
 * ranks
 */
PetscErrorCode DataSetRegister(const char format[], PetscErrorCode (*load)(DataSet ds, const char path[]));

#if defined(__cplusplus)
}
#endif
#endif
