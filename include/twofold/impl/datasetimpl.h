#ifndef TWOFOLD_DATASETIMPL_H
#define TWOFOLD_DATASETIMPL_H
#include <twofold/dataset.h>
#include <twofold/impl/groupimpl.h>
#include <twofold/impl/sysimpl.h>

extern PetscClassId DATASET_CLASSID;

typedef PetscErrorCode (*DataSetLoader)(DataSet, const char[]);

/* The sorted tokens of a text corpus, of which each rank keeps a range. Shared and never changed. */
typedef struct _DataSetVocabulary {
  PetscInt references;
  PetscInt ndocs;   /* documents that made it, on all ranks */
  PetscInt n;       /* tokens of this rank */
  char *text;       /* these, each ended by a newline */
  PetscInt64 bytes; /* length of text */
  PetscInt *df;     /* documents that hold each of them */
} * DataSetVocabulary;

struct _DataSetOps {
  PetscErrorCode (*view)(DataSet, PetscViewer);
};

struct _p_DataSet {
  PETSCHEADER(struct _DataSetOps);
  char format[64];                      /* "auto" or a registered one */
  PetscInt index_base;                  /* SVMLight: -1 decides by the file; after a load, what was found */
  DataSetVocabulary given;              /* text: what DataSetReadLike() brought, or NULL: build one */
  PetscInt min_features;                /* -data_features: p is at least this */
  char text_weight[16];                 /* "count" or "tfidf" */
  char labels_path[PETSC_MAX_PATH_LEN]; /* IDX: labels file where the name rule does not find it */
  char csv_separator;                   /* 0: the file decides */
  int csv_header;                       /* first line: 0 a sample, 1 names, -1 the file decides */
  char csv_drop[1024];                  /* columns to leave out: names or numbers (from 1) with commas */
  char label_column[256];               /* name or number; empty: by the usual names, else the last */
  char hdf5_x[256], hdf5_y[256];        /* samples and labels: paths in the file */

  char *path;            /* of the last load, for messages */
  PetscInt n, p, c;      /* global */
  PetscBool fixed_width; /* p is exact, not the largest index seen */
  PetscBool scaled;      /* DataSetApplyScaling() was here */
  PetscInt nfirst;       /* rows of the first folder of a two-folder corpus (by-date training), else -1 */
  PetscLayout rows;
  PetscInt *rowptr, *col; /* CSR of this rank's rows, global columns */
  PetscScalar *val;
  PetscBool targets;            /* labels are real numbers, not classes: c is 0 then, and there are */
  PetscReal *target;            /* these of the local rows, else NULL, in place of */
  PetscInt *label;              /* class 0..c-1 of each local row */
  PetscReal *classvalue;        /* c, increasing until DataSetConform() */
  char **classname;             /* c names, or NULL */
  DataSetVocabulary vocabulary; /* of a text corpus, else NULL */
  char *names;                  /* of the local rows, 0-terminated one behind the other, or NULL */
  char *labelname;              /* where the labels are from, for the view; may be NULL */
};

/* As DataSetSetRows(), but takes the arrays (of PetscMalloc) over. */
PetscErrorCode DataSetTakeRows_Private(DataSet ds, PetscInt nlocal, PetscInt *rowptr, PetscInt *col,
                                       PetscScalar *val, const PetscReal label[], PetscInt p,
                                       PetscBool fixed_width);

/* The label of a local row as files have it. */
static inline PetscReal DataSetLabelValue_Private(DataSet ds, PetscInt i)
{
  return ds->targets ? ds->target[i] : ds->classvalue[ds->label[i]];
}

/* Labels of the local rows: the distinct ones of all ranks become the classes; or they are kept as targets.
 */
PetscErrorCode DataSetCollectClasses_Private(DataSet ds, PetscInt nlocal, const PetscReal y[]);
PetscErrorCode DataSetKeepTargets_Private(DataSet ds, PetscInt nlocal, const PetscReal y[]);
/* For labels that are names: raises where they are to be targets. */
PetscErrorCode DataSetRefuseNames_Private(DataSet ds, PetscBool targets);
PetscErrorCode DataSetViewTargets_Private(DataSet ds, PetscViewer viewer);

/* As DataSetSelect(), but deals the rows to the `size` ranks of ds from `first` on, whose communicator is
   comm; *part is NULL on the others. Collective on ds. */
PetscErrorCode DataSetSelectOnto_Private(DataSet ds, const PetscBool keep[], MPI_Comm comm, PetscMPIInt first,
                                         PetscMPIInt size, DataSet *part);

/* What is known of how `from` was read: format, index base, columns, weights and vocabulary of text. */
PetscErrorCode DataSetCopyReading_Private(DataSet from, DataSet to);

/* The class of `train` that class k of ds is, or -1: by name where both have names; a name that is a number
   is that value, and the value of a class that has a name is its number. */
PetscInt DataSetFindClass_Private(DataSet ds, PetscInt k, DataSet train);

/* Replaces the classes, whose number may be another; the arrays are copied, `name` may be NULL. */
PetscErrorCode DataSetSetClasses_Private(DataSet ds, PetscInt c, const PetscReal value[],
                                         const char *const name[]);

/* Another reference to a vocabulary, and one less; both take NULL. */
DataSetVocabulary DataSetVocabularyShare_Private(DataSetVocabulary vocabulary);
PetscErrorCode DataSetVocabularyDestroy_Private(DataSetVocabulary *vocabulary);

/* A vocabulary to a group of a file and back. Collective. */
PetscErrorCode DataSetVocabularySave_Private(MPI_Comm comm, DataSetVocabulary vocabulary, TwofoldGroup group);
PetscErrorCode DataSetVocabularyLoad_Private(MPI_Comm comm, PetscInt p, TwofoldGroup group,
                                             DataSetVocabulary *vocabulary);

/* What DataSetCreateLike() keeps, to a group of a file and back. Collective. */
PetscErrorCode DataSetSaveLike_Private(DataSet like, TwofoldGroup group);
PetscErrorCode DataSetLoadLike_Private(DataSet like, TwofoldGroup group);

/* Readers, one a file. */
PetscErrorCode DataSetLoad_SVMLight(DataSet ds, const char path[]);
PetscErrorCode DataSetLoad_Binary(DataSet ds, const char path[]);
PetscErrorCode DataSetLoad_Text(DataSet ds, const char path[]);
PetscErrorCode DataSetLoad_IDX(DataSet ds, const char path[]);
PetscErrorCode DataSetLoad_CSV(DataSet ds, const char path[]);
PetscErrorCode DataSetLoad_HDF5(DataSet ds, const char path[]);

/* Writers, beside the readers. */
PetscErrorCode DataSetWrite_SVMLight(DataSet ds, const char path[]);
PetscErrorCode DataSetWrite_Binary(DataSet ds, const char path[]);
PetscErrorCode DataSetWrite_HDF5(DataSet ds, const char path[]);

/* The format that a file or folder looks like. Raises PETSC_ERR_FILE_OPEN where it is missing. Collective. */
PetscErrorCode DataSetDetectFormat_Private(MPI_Comm comm, const char path[], char format[], size_t len);

#endif
