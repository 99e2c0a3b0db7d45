#ifndef TWOFOLD_SYSIMPL_H
#define TWOFOLD_SYSIMPL_H
/* Services shared by the implementations of all objects. */
#include <petsc/private/petscimpl.h>
#include <petscviewer.h>
#include <twofold/sys.h>

/* Log events, one per verb. */
extern PetscLogEvent TWOFOLD_DataLoad, TWOFOLD_DataExchange, TWOFOLD_MatMult, TWOFOLD_MatMultTranspose;
extern PetscLogEvent TWOFOLD_UpperEval, TWOFOLD_LossGradient, TWOFOLD_LossHessian;
extern PetscLogEvent TWOFOLD_FPMStep, TWOFOLD_FPMLinearize, TWOFOLD_FPMJVP, TWOFOLD_FPMVJP;
extern PetscLogEvent TWOFOLD_LLSSolve, TWOFOLD_TapePush, TWOFOLD_TapePop;
extern PetscLogEvent TWOFOLD_AdjointSolve, TWOFOLD_HGSolve, TWOFOLD_ULSStep, TWOFOLD_Checkpoint;

/* Registers the events above, once; every class calls it before its first object. */
PetscErrorCode TwofoldRegisterEvents(void);

/* Constructor of a type as a registration list keeps it: cast to the object's own signature before the call.
 */
typedef void (*TwofoldConstructor)(void);
/* What constructs or destroys the part of an object that its type owns. */
typedef PetscErrorCode (*TwofoldTypeFn)(PetscObject);

/* Adds to a registration list, which is freed when PETSc ends. Not collective. */
PetscErrorCode TwofoldListAdd(PetscFunctionList *list, const char name[], TwofoldConstructor create);

/* Names in `list`: PETSc 3.18 counts the NULL behind them, later ones do not. Free the array (not the names)
   with PetscFree(). */
PetscErrorCode TwofoldListTypes(PetscFunctionList list, PetscInt *n, const char ***types);

/* Looks `type` up in `list`; where it is missing raises PETSC_ERR_ARG_UNKNOWN_TYPE with the known types and
   the closest one. `option` is the option that sets it. Collective on obj. */
PetscErrorCode TwofoldFindType(PetscObject obj, PetscFunctionList list, const char option[],
                               const char type[], TwofoldConstructor *create);

/* Gives obj another type: destroys what the old type owns (destroy may be NULL), clears the table of ops and
   constructs the new type. Nothing happens, and *changed (may be NULL) is false, where obj has the type.
   Collective on obj.
 */
PetscErrorCode TwofoldSetType(PetscObject obj, PetscFunctionList list, const char option[], const char type[],
                              TwofoldTypeFn destroy, void *ops, size_t opsbytes, PetscBool *changed);

/* Reads the option of a type: the user's word, else the type obj has, else the default. Within
   PetscObjectOptionsBegin(). */
PetscErrorCode TwofoldOptionsType(PetscOptionItems *PetscOptionsObject, const char option[],
                                  const char text[], const char manual[], PetscFunctionList list,
                                  const char initial[], char type[], size_t len);

/* Drops one reference and clears the handle where others remain; true if it was the last, so that the object
   is to be destroyed. */
PetscBool TwofoldLastReference(PetscObject *obj);

/* Prints the line every view begins with; a NULL viewer becomes standard output. *ascii is false where the
   viewer is of another kind, for which there is nothing to print. Collective on obj. */
PetscErrorCode TwofoldViewHeader(PetscObject obj, PetscViewer *viewer, PetscBool *ascii);

/* Number of edits (insert, delete, change, swap of neighbours) between two words. */
PetscInt TwofoldEditDistance(const char a[], const char b[]);

/* Sets the options prefix of a child: the parent's prefix, then `own`. */
PetscErrorCode TwofoldChildPrefix(PetscObject child, PetscObject parent, const char own[]);

/* Makes an error of some ranks an error of all: where a rank passes a code other than 0, every rank raises
   the lowest such rank's code and message. Collective on comm. */
PetscErrorCode TwofoldAgree(MPI_Comm comm, PetscErrorCode code, const char message[]);

/* Personalised exchange of sendcounts[rank] items of `bytes` each, packed by rank in sendbuf. On return
   recvcounts has an entry a rank and recvbuf the items in rank order; the caller frees both with
   PetscFree(). Collective on comm. */
PetscErrorCode TwofoldExchange(MPI_Comm comm, size_t bytes, const PetscMPIInt sendcounts[],
                               const void *sendbuf, PetscMPIInt **recvcounts, void **recvbuf,
                               PetscInt *nrecv);

/* Takes x from the file behind an HDF5 viewer by TwofoldVecLoad(), so that a missing data set or another
   length is named. Collective on x. */
PetscErrorCode TwofoldVecRestore(Vec x, PetscViewer viewer);

/* The lines of a text file, dealt to ranks by byte ranges: a line belongs to the rank in whose range its
   first byte lies, so that every line is whole on one rank and no rank reads more than its range and one
   line. */
typedef struct {
  char *text;        /* this rank's lines, each ended by 0 in place of its end of line */
  PetscInt nlines;   /* on this rank */
  PetscInt first;    /* global number of the first one, counted from 1 */
  const char **line; /* nlines pointers into text */
} TwofoldLines;
PetscErrorCode TwofoldLinesRead(MPI_Comm comm, const char path[], TwofoldLines *lines);
PetscErrorCode TwofoldLinesDestroy(TwofoldLines *lines);

/* Raises PETSC_ERR_FILE_OPEN on every rank where rank 0 cannot read the path; `option` may be NULL. */
PetscErrorCode TwofoldCheckReadable(MPI_Comm comm, const char path[], PetscBool *isdirectory);

#endif
