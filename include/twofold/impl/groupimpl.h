#ifndef TWOFOLD_GROUPIMPL_H
#define TWOFOLD_GROUPIMPL_H
/* A group of an HDF5 file and the small things in it, for what is no Vec: whole numbers, words, short lists,
   and bytes that are distributed over the ranks. What is read comes from rank 0 and is checked there, so that
   a damaged file is one clear error on every rank. */
#include <twofold/impl/sysimpl.h>

typedef struct _TwofoldGroup *TwofoldGroup;

/* Makes a group in the file that the HDF5 viewer writes. Collective. */
PetscErrorCode TwofoldGroupCreate(PetscViewer viewer, const char name[], TwofoldGroup *group);
/* Opens a group of a file for reading; *group is NULL where the file has none. Raises PETSC_ERR_FILE_OPEN
   (missing) or PETSC_ERR_FILE_UNEXPECTED (no HDF5 file, or cut short) on every rank. Collective on comm. */
PetscErrorCode TwofoldGroupOpen(MPI_Comm comm, const char path[], const char name[], TwofoldGroup *group);
PetscErrorCode TwofoldGroupClose(TwofoldGroup *group);
/* The file behind it, for messages and for TwofoldVecLoad(); borrowed. */
const char *TwofoldGroupPath(TwofoldGroup group);

/* Attributes and lists: every rank passes the same. Collective. */
PetscErrorCode TwofoldGroupPutInt(TwofoldGroup group, const char name[], PetscInt64 value);
PetscErrorCode TwofoldGroupPutString(TwofoldGroup group, const char name[], const char value[]);
PetscErrorCode TwofoldGroupPutReals(TwofoldGroup group, const char name[], PetscInt n,
                                    const PetscReal value[]);
PetscErrorCode TwofoldGroupPutStrings(TwofoldGroup group, const char name[], PetscInt n,
                                      const char *const value[]);
/* A list in pieces, in rank order; type is PETSC_CHAR, PETSC_INT or PETSC_REAL. Collective. */
PetscErrorCode TwofoldGroupPutPieces(TwofoldGroup group, const char name[], PetscDataType type,
                                     PetscInt64 nlocal, const void *value);

/* Whether there is a data set of this name, and its number of elements (may be NULL). Collective. */
PetscErrorCode TwofoldGroupHas(TwofoldGroup group, const char name[], PetscBool *has, PetscInt64 *n);
/* As above; each raises PETSC_ERR_FILE_UNEXPECTED on every rank where the thing is missing, of another kind
   or length. The caller frees the strings and their array with PetscFree(). Collective. */
PetscErrorCode TwofoldGroupGetInt(TwofoldGroup group, const char name[], PetscInt64 *value);
PetscErrorCode TwofoldGroupGetString(TwofoldGroup group, const char name[], char value[], size_t len);
PetscErrorCode TwofoldGroupGetReals(TwofoldGroup group, const char name[], PetscInt n, PetscReal value[]);
PetscErrorCode TwofoldGroupGetStrings(TwofoldGroup group, const char name[], PetscInt n, char **value[]);
/* Elements [begin, begin + n) of such a list, another range on each rank. Collective. */
PetscErrorCode TwofoldGroupGetPieces(TwofoldGroup group, const char name[], PetscDataType type,
                                     PetscInt64 begin, PetscInt64 n, void *value);

#endif
