/* What a vector was when something was made of it, so that it is made anew only where the vector has changed.
   PETSc counts changes rank by rank: where one rank alone wrote to its part, the others see none, and what is
   made of it is collective. So the ranks agree, by one reduction. */
#include <twofold/impl/sysimpl.h>

PetscErrorCode TwofoldSee(Vec x, TwofoldSeen *seen)
{
  PetscFunctionBegin;
  PetscCall(PetscObjectGetId((PetscObject)x, &seen->id));
  PetscCall(PetscObjectStateGet((PetscObject)x, &seen->state));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldHasChanged(PetscInt n, const Vec x[], const TwofoldSeen seen[], PetscBool *changed)
{
  TwofoldSeen now;

  PetscFunctionBegin;
  *changed = PETSC_FALSE;
  for (PetscInt i = 0; i < n; i++) {
    PetscCall(TwofoldSee(x[i], &now));
    if (now.id != seen[i].id || now.state != seen[i].state) *changed = PETSC_TRUE;
  }
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, changed, 1, MPIU_BOOL, MPI_LOR, PetscObjectComm((PetscObject)x[0])));
  PetscFunctionReturn(PETSC_SUCCESS);
}
