/* Personalised all-to-all exchange with sizes not known to the receiver. */
#include <twofold/impl/sysimpl.h>

/* Offsets of packed pieces: offset[r] = sum of counts[0..r-1]; total in offset[size]. */
static PetscErrorCode PrefixSums(MPI_Comm comm, PetscMPIInt size, const PetscMPIInt counts[],
                                 PetscMPIInt offset[])
{
  PetscInt64 sum = 0;

  PetscFunctionBegin;
  for (PetscMPIInt r = 0; r < size; r++) {
    offset[r] = (PetscMPIInt)sum;
    sum += counts[r];
    PetscCheck(sum <= PETSC_MPI_INT_MAX, comm, PETSC_ERR_INT_OVERFLOW,
               "exchange of %" PetscInt64_FMT " items overflows an MPI count: use more ranks", sum);
  }
  offset[size] = (PetscMPIInt)sum;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldExchange(MPI_Comm comm, size_t bytes, const PetscMPIInt sendcounts[],
                               const void *sendbuf, PetscMPIInt **recvcounts, void **recvbuf, PetscInt *nrecv)
{
  PetscMPIInt size, *counts, *senddispl, *recvdispl;
  MPI_Datatype item;
  char *buffer;

  PetscFunctionBegin;
  PetscCall(PetscLogEventBegin(TWOFOLD_DataExchange, 0, 0, 0, 0));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(PetscMalloc1(size, &counts));
  PetscCall(PetscMalloc2(size + 1, &senddispl, size + 1, &recvdispl));
  PetscCallMPI(MPI_Alltoall(sendcounts, 1, MPI_INT, counts, 1, MPI_INT, comm));
  PetscCall(PrefixSums(PETSC_COMM_SELF, size, sendcounts, senddispl));
  PetscCall(PrefixSums(PETSC_COMM_SELF, size, counts, recvdispl));
  PetscCall(PetscMalloc1((size_t)recvdispl[size] * bytes + 1, &buffer));
  PetscCallMPI(MPI_Type_contiguous((int)bytes, MPI_BYTE, &item));
  PetscCallMPI(MPI_Type_commit(&item));
  PetscCallMPI(MPI_Alltoallv(sendbuf, sendcounts, senddispl, item, buffer, counts, recvdispl, item, comm));
  PetscCallMPI(MPI_Type_free(&item));
  *nrecv = recvdispl[size];
  *recvbuf = buffer;
  if (recvcounts)
    *recvcounts = counts;
  else
    PetscCall(PetscFree(counts));
  PetscCall(PetscFree2(senddispl, recvdispl));
  PetscCall(PetscLogEventEnd(TWOFOLD_DataExchange, 0, 0, 0, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}
