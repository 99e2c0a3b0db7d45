#ifndef TWOFOLD_DATASETIMPL_H
#define TWOFOLD_DATASETIMPL_H
#include <twofold/dataset.h>
#include <twofold/impl/sysimpl.h>

extern PetscClassId DATASET_CLASSID;

typedef PetscErrorCode (*DataSetLoader)(DataSet, const char[]);

struct _DataSetOps {
  PetscErrorCode (*view)(DataSet, PetscViewer);
};

struct _p_DataSet {
  PETSCHEADER(struct _DataSetOps);
  char format[64];                      /* "auto" or a registered one */
  PetscInt index_base;                  /* SVMLight: -1 decides by the file; after a load, what was found */
  PetscInt min_features;                /* -data_features: p is at least this */
  char text_weight[16];                 /* "count" or "tfidf" */
  char labels_path[PETSC_MAX_PATH_LEN]; /* IDX: labels file where the name rule does not find it */

  char *path;            /* of the last load, for messages */
  PetscInt n, p, c;      /* global */
  PetscBool fixed_width; /* p is exact, not the largest index seen */
  PetscInt nfirst;       /* rows of the first folder of a two-folder corpus (by-date training), else -1 */
  PetscLayout rows;
  PetscInt *rowptr, *col; /* CSR of this rank's rows, global columns */
  PetscScalar *val;
  PetscInt *label;       /* class 0..c-1 of each local row */
  PetscReal *classvalue; /* c, increasing */
  char **classname;      /* c names, or NULL */
};

/* As DataSetSetRows(), but takes the arrays (of PetscMalloc) over. */
PetscErrorCode DataSetTakeRows_Private(DataSet ds, PetscInt nlocal, PetscInt *rowptr, PetscInt *col,
                                       PetscScalar *val, const PetscReal label[], PetscInt p,
                                       PetscBool fixed_width);

/* As DataSetSelect(), but deals the rows to the `size` ranks of ds from `first` on, whose communicator is
   comm; *part is NULL on the others. Collective on ds. */
PetscErrorCode DataSetSelectOnto_Private(DataSet ds, const PetscBool keep[], MPI_Comm comm, PetscMPIInt first,
                                         PetscMPIInt size, DataSet *part);

/* Readers, one a file. */
PetscErrorCode DataSetLoad_SVMLight(DataSet ds, const char path[]);
PetscErrorCode DataSetLoad_Binary(DataSet ds, const char path[]);
PetscErrorCode DataSetLoad_Text(DataSet ds, const char path[]);
PetscErrorCode DataSetLoad_IDX(DataSet ds, const char path[]);

/* Writers, beside the readers. */
PetscErrorCode DataSetWrite_SVMLight(DataSet ds, const char path[]);
PetscErrorCode DataSetWrite_Binary(DataSet ds, const char path[]);

#endif
