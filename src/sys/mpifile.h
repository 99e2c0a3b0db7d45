#ifndef TWOFOLD_MPIFILE_H
#define TWOFOLD_MPIFILE_H
/* Files by MPI-IO, in blocks whose size fits an MPI count. */
#include <twofold/impl/sysimpl.h>

/* The first error that this rank met, kept until all ranks meet in TwofoldFaultAgree(): a rank that raised an
   error by itself would leave the others waiting. */
typedef struct {
  int code; /* PETSC_ERR_..., or 0 */
  char message[1024];
} TwofoldFault;

/* Keeps an error unless there is one already. Not collective. */
void TwofoldFaultSet(TwofoldFault *fault, int code, const char format[], ...) PETSC_ATTRIBUTE_FORMAT(3, 4);

/* Raises the fault of the lowest rank that has one on every rank. Collective on comm. */
PetscErrorCode TwofoldFaultAgree(MPI_Comm comm, const TwofoldFault *fault);

/* Opens for reading. Raises PETSC_ERR_FILE_OPEN or, for a folder, PETSC_ERR_FILE_UNEXPECTED on every rank.
   Collective on comm. */
PetscErrorCode TwofoldFileOpenRead(MPI_Comm comm, const char path[], MPI_File *file, PetscInt64 *bytes);

/* Creates or empties a file. Raises PETSC_ERR_FILE_WRITE on every rank. Collective on comm. */
PetscErrorCode TwofoldFileOpenWrite(MPI_Comm comm, const char path[], MPI_File *file);

/* Closes a written file and raises what went wrong since it was opened. Collective on comm. */
PetscErrorCode TwofoldFileCloseWrite(MPI_Comm comm, const char path[], MPI_File *file, TwofoldFault *fault);

/* Read or write exactly `bytes` bytes at `offset`; a failure is kept in the fault. Not collective. */
void TwofoldFileReadAt(MPI_File file, const char path[], PetscInt64 offset, PetscInt64 bytes, void *buffer,
                       TwofoldFault *fault);
void TwofoldFileWriteAt(MPI_File file, const char path[], PetscInt64 offset, PetscInt64 bytes,
                        const void *buffer, TwofoldFault *fault);

#endif
