#ifndef TWOFOLD_PETSCFILE_H
#define TWOFOLD_PETSCFILE_H
/* PETSc's binary files, read and written by byte ranges on all ranks at once: big-endian integers and
   scalars. VecLoad() and MatLoad() read the same files, but trust what the file says of itself, obey options
   in a
   `.info` file beside it, and read one integer width. */
#include "mpifile.h"

typedef struct {
  MPI_Comm comm;
  const char *path;
  MPI_File file;
  PetscInt64 size;  /* bytes */
  PetscInt intsize; /* of the file's integers: 4, or 8 where PETSc with 64-bit indices wrote it */
} TwofoldPetscFile;

/* Opens for reading and finds the integer width by the class id that every object begins with; raises
   PETSC_ERR_FILE_UNEXPECTED where there is none. Collective. */
PetscErrorCode TwofoldPetscFileOpen(MPI_Comm comm, const char path[], TwofoldPetscFile *f);
PetscErrorCode TwofoldPetscFileClose(TwofoldPetscFile *f);

/* Reads the n <= 4 integers that an object at `offset` begins with; *found says whether the file has them.
   Collective. */
PetscErrorCode TwofoldPetscFileHeader(TwofoldPetscFile *f, PetscInt64 offset, int n, PetscInt64 header[],
                                      PetscBool *found);

/* What a class id stands for, as words for a message. */
const char *TwofoldPetscFileClass(PetscInt64 classid);

/* Read n numbers at a byte offset; failures, and integers too large for PetscInt, are kept in the fault. Not
   collective. */
PetscErrorCode TwofoldPetscFileReadInts(TwofoldPetscFile *f, PetscInt64 offset, PetscInt n, PetscInt value[],
                                        TwofoldFault *fault);
PetscErrorCode TwofoldPetscFileReadScalars(TwofoldPetscFile *f, PetscInt64 offset, PetscInt n,
                                           PetscScalar value[], TwofoldFault *fault);

/* Write n numbers of this PETSc's widths (PETSC_INT or PETSC_SCALAR) at a byte offset. Not collective. */
PetscErrorCode TwofoldPetscFileWrite(MPI_File file, const char path[], PetscInt64 offset, PetscInt n,
                                     const void *value, PetscDataType type, TwofoldFault *fault);

#endif
