/* Errors that only some ranks see become errors of all. */
#include <twofold/impl/sysimpl.h>

PetscErrorCode TwofoldAgree(MPI_Comm comm, PetscErrorCode code, const char message[])
{
  PetscMPIInt rank, size, first;
  char text[1024] = "";
  int shared = (int)code;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  const PetscMPIInt mine = code ? rank : size;
  PetscCallMPI(MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, comm));
  if (first == size) PetscFunctionReturn(PETSC_SUCCESS);
  if (message) PetscCall(PetscStrncpy(text, message, sizeof(text)));
  PetscCallMPI(MPI_Bcast(&shared, 1, MPI_INT, first, comm));
  PetscCallMPI(MPI_Bcast(text, (int)sizeof(text), MPI_CHAR, first, comm));
  SETERRQ(comm, TwofoldErrorCode(shared), "%s", text);
}

PetscErrorCode TwofoldAgreeRaised(MPI_Comm comm, PetscErrorCode code)
{
  char *message = NULL;

  PetscFunctionBegin;
  if (code) PetscCall(PetscErrorMessage(code, NULL, &message));
  PetscCall(TwofoldAgree(comm, code, message));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TwofoldCheckReadable(MPI_Comm comm, const char path[], PetscBool *isdirectory)
{
  PetscMPIInt rank;
  int found[2] = {0, 0};
  PetscBool file = PETSC_FALSE, directory = PETSC_FALSE;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) {
    PetscCall(PetscTestDirectory(path, 'r', &directory));
    if (!directory) PetscCall(PetscTestFile(path, 'r', &file));
    found[0] = file || directory;
    found[1] = directory;
  }
  PetscCallMPI(MPI_Bcast(found, 2, MPI_INT, 0, comm));
  PetscCheck(found[0], comm, PETSC_ERR_FILE_OPEN, "cannot read %s: no such file or folder, or no permission",
             path);
  if (isdirectory) *isdirectory = found[1] ? PETSC_TRUE : PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}
