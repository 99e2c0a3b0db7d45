#ifndef TWOFOLD_H5FILE_H
#define TWOFOLD_H5FILE_H
/* Arrays of HDF5 files by MPI-IO. Nothing here but opening, closing and creating waits for other ranks; what
   goes wrong is kept in the fault. HDF5's own messages are to be off. */
#include <hdf5.h>
#include "../sys/mpifile.h"

enum { hdf5_chunk = 1 << 22 }; /* numbers read at a time: HDF5 passes requests beyond 2 GB on to MPI */

/* A data set of numbers in one or two dimensions, the second of which is 1 where there is none. */
typedef struct {
  const char *path;
  char name[300];
  hid_t set;
  int ndims;
  hsize_t dim[2];
} HDF5Array;

/* Opens for reading, or creates; negative where that fails. Collective. */
hid_t HDF5FileOpen_Private(MPI_Comm comm, const char path[], PetscBool write);

/* Opens a data set of `ndims` dimensions; a vector may also be a matrix of one column. `what` says what is
   needed. */
void HDF5ArrayOpen_Private(hid_t file, const char path[], const char name[], int ndims, const char what[],
                           HDF5Array *array, TwofoldFault *fault);

void HDF5ArrayClose_Private(HDF5Array *array);

/* Reads rows [start, start + n) as numbers of this type in memory. */
void HDF5ArrayReadRows_Private(const HDF5Array *array, PetscInt64 start, PetscInt64 n, hid_t type, void *to,
                               TwofoldFault *fault);

/* Reads n numbers of a vector by blocks. */
void HDF5ArrayRead_Private(const HDF5Array *array, PetscInt64 start, PetscInt64 n, hid_t type, size_t bytes,
                           void *to, TwofoldFault *fault);

/* Creates a vector of N numbers, of which this rank writes n from `start` on. */
void HDF5ArrayWrite_Private(hid_t group, const char path[], const char name[], hid_t stored, PetscInt64 N,
                            PetscInt64 start, PetscInt64 n, hid_t type, const void *from, size_t bytes,
                            TwofoldFault *fault);

#endif
