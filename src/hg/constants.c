/* The computed constants of an optimal step in checkpoints. They belong to the first point of a run, and a
   resumed run must go on with them. */
#include <twofold/impl/hgimpl.h>

/* A vector for (L, its error, mu, its error), on rank 0, named by the map's prefix. */
static PetscErrorCode CreateRecord(FPM fpm, Vec *record)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)fpm);
  const char *prefix = ((PetscObject)fpm)->prefix;
  PetscMPIInt rank;
  char name[128];

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(VecCreateMPI(comm, rank ? 0 : 4, 4, record));
  PetscCall(PetscSNPrintf(name, sizeof(name), "%sconstants", prefix ? prefix : ""));
  PetscCall(PetscObjectSetName((PetscObject)*record, name));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGSaveConstants_Private(FPM fpm, PetscViewer viewer)
{
  TwofoldConstant L, mu;
  PetscInt nlocal;
  PetscScalar *a;
  Vec record;

  PetscFunctionBegin;
  PetscCall(FPMGetConstants(fpm, &L, &mu));
  if (L.standing != TWOFOLD_COMPUTED) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(CreateRecord(fpm, &record));
  PetscCall(VecGetLocalSize(record, &nlocal));
  PetscCall(VecGetArrayWrite(record, &a));
  if (nlocal) {
    a[0] = L.value;
    a[1] = L.error;
    a[2] = mu.value;
    a[3] = mu.error;
  }
  PetscCall(VecRestoreArrayWrite(record, &a));
  PetscCall(VecView(record, viewer));
  PetscCall(VecDestroy(&record));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HGRestoreConstants_Private(FPM fpm, PetscViewer viewer)
{
  PetscReal values[4] = {0, 0, 0, 0};
  PetscInt nlocal;
  PetscBool needs;
  const PetscScalar *a;
  Vec record;

  PetscFunctionBegin;
  PetscCall(FPMNeedsConstants(fpm, &needs));
  if (!needs) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(CreateRecord(fpm, &record));
  PetscCall(TwofoldVecRestore(record, viewer));
  PetscCall(VecGetLocalSize(record, &nlocal));
  PetscCall(VecGetArrayRead(record, &a));
  for (PetscInt i = 0; i < nlocal; i++) values[i] = a[i];
  PetscCall(VecRestoreArrayRead(record, &a));
  PetscCall(VecDestroy(&record));
  PetscCallMPI(MPI_Bcast(values, 4, MPIU_REAL, 0, PetscObjectComm((PetscObject)fpm)));
  const TwofoldConstant L = {.value = values[0],
                             .error = values[1],
                             .standing = TWOFOLD_COMPUTED,
                             .origin = "computed at the run's first point, from its checkpoint"};
  TwofoldConstant mu = L;
  mu.value = values[2];
  mu.error = values[3];
  PetscCall(FPMSetConstants(fpm, &L, &mu));
  PetscFunctionReturn(PETSC_SUCCESS);
}
