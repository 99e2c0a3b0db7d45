#ifndef TWOFOLD_ROWS_H
#define TWOFOLD_ROWS_H
/* What readers of sparse matrices share. */
#include <twofold/impl/datasetimpl.h>
#include "../sys/mpifile.h"

/* Sorts a row's n entries by column: other programs than PETSc may have written them in any order. A column
   outside [0, p), a column twice and a value that is not finite are kept in the fault. Not collective. */
PetscErrorCode DataSetTidyRow_Private(const char path[], PetscInt64 p, PetscInt row, PetscInt n,
                                      PetscInt col[], PetscScalar val[], TwofoldFault *fault);

#endif
