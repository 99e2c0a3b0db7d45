/* Deals the entries of a data set's samples out to the ranks that own their features. */
#include <twofold/impl/datasetimpl.h>
#include <twofold/impl/featurematimpl.h>

PetscMPIInt FeatureMatOwner_Private(FeatureMat X, PetscInt feature)
{
  const PetscInt *const range = X->features->range;
  PetscMPIInt low = 0, high = X->features->size - 1;

  while (low < high) {
    const PetscMPIInt middle = low + (high - low) / 2;
    if (feature < range[middle + 1])
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

PetscErrorCode FeatureMatDeal_Private(FeatureMat X, DataSet ds, PetscBool bias, MPI_Comm comm,
                                      FeatureMatDestination to, PetscInt *nentries, FeatureMatEntry **entries)
{
  PetscMPIInt size, *counts;
  PetscInt nlocal, *at, nnz, offset = 0;
  const PetscInt *rowptr, *col;
  const PetscScalar *val;
  FeatureMatEntry *send;
  void *received;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(DataSetGetRows(ds, &nlocal, &rowptr, &col, &val, NULL));
  nnz = rowptr[nlocal] + (bias ? nlocal : 0);
  PetscCall(PetscCalloc2(size, &counts, size, &at));
  PetscCall(PetscMalloc1(nnz + 1, &send));
  for (PetscInt k = 0; k < rowptr[nlocal]; k++) counts[(*to)(X, col[k])]++;
  if (bias) counts[(*to)(X, X->p - 1)] += (PetscMPIInt)nlocal;
  for (PetscMPIInt r = 0; r < size; r++) {
    at[r] = offset;
    offset += counts[r];
  }
  for (PetscInt i = 0; i < nlocal; i++) {
    const PetscInt sample = X->samples->rstart + i;
    for (PetscInt k = rowptr[i]; k < rowptr[i + 1]; k++)
      send[at[(*to)(X, col[k])]++] = (FeatureMatEntry){col[k], sample, val[k]};
    if (bias) send[at[(*to)(X, X->p - 1)]++] = (FeatureMatEntry){X->p - 1, sample, 1};
  }
  PetscCall(TwofoldExchange(comm, sizeof(FeatureMatEntry), counts, send, NULL, &received, nentries));
  *entries = received;
  PetscCall(PetscFree(send));
  PetscCall(PetscFree2(counts, at));
  PetscFunctionReturn(PETSC_SUCCESS);
}
