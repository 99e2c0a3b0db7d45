/*
  Which labels of dataclean are wrong. With two random numbers u, u' in (0, 1) for training sample i, keyed by
  the seed and 2 i, 2 i + 1, the label y of c classes becomes

    (y + 1 + floor((c - 1) u')) mod c   where u < fraction

  another class, each of them as likely. i is the sample's place among the training samples: the same labels
  on any number of ranks.
*/
#include "dataclean.h"

/* Beyond which a weight is 0 or 1 to rounding. */
static const PetscReal certain = 40;

PetscErrorCode DataCleanCorrupt_Private(DataClean *dc)
{
  const PetscInt64 key = 16 * (PetscInt64)dc->seed + 11; /* not one of data */
  const PetscInt *label;
  PetscInt first;

  PetscFunctionBegin;
  PetscCall(FeatureMatGetLabels(dc->X[BLP_TRAIN], NULL, &label));
  PetscCall(VecGetOwnershipRange(dc->lambda, &first, NULL));
  dc->wrong = 0;
  for (PetscInt i = 0; i < dc->n; i++) {
    const PetscInt64 index = 2 * (PetscInt64)(first + i);
    dc->label[i] = label[i];
    if (TwofoldRandomUniform(key, index) >= dc->corrupt) continue;
    const PetscInt further = (PetscInt)(TwofoldRandomUniform(key, index + 1) * (PetscReal)(dc->c - 1));
    dc->label[i] = (label[i] + 1 + further) % dc->c;
    dc->wrong++;
  }
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &dc->wrong, 1, MPIU_INT, MPI_SUM,
                           PetscObjectComm((PetscObject)dc->lambda)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPStart_DataClean(BLP blp, Vec lambda)
{
  const DataClean *dc = (const DataClean *)blp->data;
  const PetscInt *label;
  PetscScalar *a;

  PetscFunctionBegin;
  if (dc->start == DATACLEAN_ALL) PetscCall(VecSet(lambda, certain));
  if (dc->start != DATACLEAN_ORACLE) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(dc->label && !blp->tie.T, PetscObjectComm((PetscObject)blp), PETSC_ERR_SUP,
             "-blp_dataclean_start oracle: a tied lambda has no entry for each sample; take zero or all");
  PetscCall(FeatureMatGetLabels(dc->X[BLP_TRAIN], NULL, &label));
  PetscCall(VecGetArrayWrite(lambda, &a));
  for (PetscInt i = 0; i < dc->n; i++) a[i] = dc->label[i] == label[i] ? certain : -certain;
  PetscCall(VecRestoreArrayWrite(lambda, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}
