#ifndef TWOFOLD_SYSIMPL_H
#define TWOFOLD_SYSIMPL_H
/* Services shared by the implementations of all objects. */
#include <petsc/private/petscimpl.h>
#include <petscksp.h>
#include <petscviewer.h>
#include <twofold/sys.h>

/* Log events, one per verb. */
extern PetscLogEvent TWOFOLD_DataLoad, TWOFOLD_DataExchange, TWOFOLD_MatMult, TWOFOLD_MatMultTranspose,
    TWOFOLD_MatSweep;
extern PetscLogEvent TWOFOLD_UpperEval, TWOFOLD_LossGradient, TWOFOLD_LossHessian;
extern PetscLogEvent TWOFOLD_FPMStep, TWOFOLD_FPMLinearize, TWOFOLD_FPMJVP, TWOFOLD_FPMVJP,
    TWOFOLD_FPMNormalStep;
extern PetscLogEvent TWOFOLD_LSETProject, TWOFOLD_PrecondBuild, TWOFOLD_PrecondApply;
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
/* The same with the message that PETSc kept of this rank's error: for what groups of ranks did each by
   themselves, where an error of one must not leave the others waiting. Collective on comm. */
PetscErrorCode TwofoldAgreeRaised(MPI_Comm comm, PetscErrorCode code);

/* Personalised exchange of sendcounts[rank] items of `bytes` each, packed by rank in sendbuf. On return
   recvcounts has an entry a rank and recvbuf the items in rank order; the caller frees both with
   PetscFree(). Collective on comm. */
PetscErrorCode TwofoldExchange(MPI_Comm comm, size_t bytes, const PetscMPIInt sendcounts[],
                               const void *sendbuf, PetscMPIInt **recvcounts, void **recvbuf,
                               PetscInt *nrecv);

/* Takes x from the file behind an HDF5 viewer by TwofoldVecLoad(), so that a missing data set or another
   length is named. Collective on x. */
PetscErrorCode TwofoldVecRestore(Vec x, PetscViewer viewer);

/* Seals a finished file: a line behind its bytes with their number and checksum. Raises PETSC_ERR_FILE_READ
   or PETSC_ERR_FILE_WRITE. Collective on comm. */
PetscErrorCode TwofoldFileSeal(MPI_Comm comm, const char path[]);
/* What is wrong with a sealed file, on every rank; empty where it is as it was. Raises PETSC_ERR_FILE_OPEN
   where there is none. Collective on comm. */
PetscErrorCode TwofoldFileCheckSeal(MPI_Comm comm, const char path[], char why[], size_t len);

/* Remainders ||F(x + h d) - F(x) - h F'(x) d|| at steps h of falling size: of order 2 where F' is right, of
   order 1 where it is not or F has a kink. */
enum { TWOFOLD_TAYLOR_STEPS = 9 };
typedef struct {
  PetscInt n;                                /* steps taken, TWOFOLD_TAYLOR_STEPS at most */
  PetscReal remainder[TWOFOLD_TAYLOR_STEPS]; /* not finite where F is not */
  PetscReal change[TWOFOLD_TAYLOR_STEPS];    /* ||F(x + h d) - F(x)|| */
  PetscReal slope;                           /* ||F'(x) d|| */
  PetscReal noise;                           /* remainder that rounding alone makes */
  /* by TwofoldTaylorFit() */
  PetscReal order;   /* infinite: F is linear to rounding; NaN: F is finite at no step */
  PetscReal error;   /* relative error of F'(x) d at the smallest step that is readable */
  PetscInt readable; /* that step, or -1 */
} TwofoldTaylor;
/* Step k = 0, 1, ...: from 0.1 down. Not collective, as the others. */
PetscReal TwofoldTaylorStep(PetscInt k);
void TwofoldTaylorFit(TwofoldTaylor *taylor);
PetscBool TwofoldTaylorPasses(const TwofoldTaylor *taylor);
/* The step h of central differences at a point of this norm along a direction of this length: the way h d is
   the cube root of rounding times the point, or times d where that is longer, where rounding and the third
   derivative leave errors of a size. */
PetscReal TwofoldCentralStep(PetscReal norm, PetscReal length);

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

/* Spectra of shell matrices by SLEPc (spectral.c): the pair that converged, or after max_products the one at
   hand; c->error is its residual norm, recomputed, or the distance to `limit`, a bound from outside (NaN:
   none is known), where that is less; c->value is NaN where SLEPc gave nothing. `products` is where the shell
   counts. */
typedef enum { TWOFOLD_LARGEST, TWOFOLD_SMALLEST, TWOFOLD_RADIUS } TwofoldEnd;
/* Errors relative to `scale`, or to the value itself where scale is 0. LARGEST and SMALLEST want a
   symmetric A; RADIUS is the largest modulus of the eigenvalues of any A. Collective on A. */
PetscErrorCode TwofoldEigenvalue(Mat A, TwofoldEnd end, const PetscInt *products, PetscReal scale,
                                 PetscReal limit, const TwofoldSpectral *how, TwofoldConstant *c);
/* The largest singular value of an A that has as many rows as columns or more. Collective on A. */
PetscErrorCode TwofoldSingularValue(Mat A, const PetscInt *products, const TwofoldSpectral *how,
                                    TwofoldConstant *c);
/* Makes the SLEPc objects of this prefix read their options once, so that they are known before a run.
   Collective. */
PetscErrorCode TwofoldSpectralHear(MPI_Comm comm, const char prefix[]);

/* A vector as it was when something was made of it; all 0 is none. */
typedef struct {
  PetscObjectId id;
  PetscObjectState state;
} TwofoldSeen;
PetscErrorCode TwofoldSee(Vec x, TwofoldSeen *seen);
/* Whether any of n vectors is on any rank not what was seen. Collective on x[0]. */
PetscErrorCode TwofoldHasChanged(PetscInt n, const Vec x[], const TwofoldSeen seen[], PetscBool *changed);

/* exponential.c: x[i] <- exp(x[i]), x[i] <- tanh(x[i]) */
void TwofoldExponentials(PetscInt n, PetscReal x[]);
void TwofoldTangents(PetscInt n, PetscReal x[]);

/* pages.c: memory for n numbers, on cache lines and where it is much in huge pages: for what is looked up at
   random. */
PetscErrorCode TwofoldMallocPages(PetscInt64 n, PetscScalar **a);
PetscErrorCode TwofoldFreePages(PetscScalar **a);

/* e <- the unit vector of global entry j. Logically collective. */
PetscErrorCode TwofoldVecSetUnit(Vec e, PetscInt j);

/* A small dense system A x = b, b and x laid out as `like`, solved directly (direct.c): by LAPACK, where
   every rank has all n x n numbers, or by ScaLAPACK, where they are shared out. Collective on like, but for
   GetMemory. */
typedef struct _TwofoldDirect *TwofoldDirect;
typedef enum {
  TWOFOLD_DIRECT_AUTO, /* scalapack for a larger n on several ranks, where PETSc has it */
  TWOFOLD_DIRECT_LAPACK,
  TWOFOLD_DIRECT_SCALAPACK /* lapack all the same on one rank, and where n is too small to share out */
} TwofoldDirectKind;
PetscErrorCode TwofoldDirectCreate(Vec like, TwofoldDirectKind kind, TwofoldDirect *direct);
PetscErrorCode TwofoldDirectDestroy(TwofoldDirect *direct);
/* Column j of A is y. All are set before Factor, and again before the next. */
PetscErrorCode TwofoldDirectSetColumn(TwofoldDirect direct, PetscInt j, Vec y);
/* The Frobenius norm of A, before Factor. */
PetscErrorCode TwofoldDirectGetNorm(TwofoldDirect direct, PetscReal *norm);
/* Factors A + shift I. Raises an error where that has no inverse. */
PetscErrorCode TwofoldDirectFactor(TwofoldDirect direct, PetscReal shift);
PetscErrorCode TwofoldDirectSolve(TwofoldDirect direct, Vec b, Vec x);
PetscErrorCode TwofoldDirectGetMemory(TwofoldDirect direct, PetscLogDouble *bytes);

/* Whether the KSP's type is for symmetric operators only. */
PetscErrorCode TwofoldKSPNeedsSymmetry(KSP ksp, PetscBool *needs);

/* Raises PETSC_ERR_FILE_OPEN on every rank where rank 0 cannot read the path; `option` may be NULL. */
PetscErrorCode TwofoldCheckReadable(MPI_Comm comm, const char path[], PetscBool *isdirectory);

#endif
