#ifndef TWOFOLD_SYS_H
#define TWOFOLD_SYS_H
/* Start-up and the small services every layer uses. */
#include <petscvec.h>
#include <twofold/compat.h>

#define TWOFOLD_VERSION "0.1.0"

#if defined(__cplusplus)
extern "C" {
#endif

/* Starts MPI, PETSc and SLEPc where they are not running yet. Arguments as for PetscInitialize(). Collective
   on MPI_COMM_WORLD. */
PetscErrorCode TwofoldInitialize(int *argc, char ***argv, const char file[], const char help[]);

/* Ends what TwofoldInitialize() started; PETSc and SLEPc go on if the caller had started them. Collective on
   MPI_COMM_WORLD. */
PetscErrorCode TwofoldFinalize(void);

/* 64 random bits keyed by (seed, index): the SplitMix64 finaliser, a bijection of the index for a fixed seed,
   so that keys of different indices never tie. Reference: Steele, Lea, Flood, OOPSLA 2014. Not collective. */
PetscInt64 TwofoldRandomBits(PetscInt64 seed, PetscInt64 index);

/* Standard normal number keyed by (seed, index), by the Box-Muller transform. Not collective. */
PetscReal TwofoldRandomNormal(PetscInt64 seed, PetscInt64 index);

/* Fills x with N(0,1) entries keyed by (seed, global index): the same vector on any number of ranks.
   Logically collective on x. */
PetscErrorCode TwofoldVecSetRandomNormal(Vec x, PetscInt64 seed);

/** How far a constant can be trusted. */
typedef enum {
  TWOFOLD_UNKNOWN,  /**< there is none: the value is NaN */
  TWOFOLD_PROVED,   /**< by a formula of the problem */
  TWOFOLD_COMPUTED, /**< by an eigenvalue or singular value solve at one point */
  TWOFOLD_USER      /**< given by the caller, not checked */
} TwofoldStanding;
/** Names of the standings: "unknown", "proved", ... */
extern const char *const TwofoldStandings[];

/** A constant that bounds and step sizes are made of, with what is known about it. */
typedef struct {
  PetscReal value; /**< NaN where the standing is TWOFOLD_UNKNOWN */
  PetscReal error; /**< bound of the absolute error (a residual norm where computed); 0 for a formula */
  TwofoldStanding standing; /**< how far it can be trusted */
  const char *origin;       /**< formula or method in words, a string that is never freed */
  PetscInt products;        /**< Hessian or Jacobian products it cost */
} TwofoldConstant;

/** How SLEPc is asked for an eigenvalue or a singular value. */
typedef struct {
  PetscReal tol;         /**< error to reach, relative to the operator's largest value */
  PetscInt max_products; /**< products with the operator after which the pair at hand is taken as it is */
  PetscInt64 seed;       /**< of the starting vector, which does not depend on the number of ranks */
  const char *prefix;    /**< options prefix of the SLEPc objects; NULL: they read no options */
} TwofoldSpectral;

/* Fills x from a file: `.txt` (one number a line, read by byte ranges), PETSc binary `.bin` (one Vec), HDF5
   `.h5` (data set named as x is). Raises PETSC_ERR_FILE_OPEN for a missing file and
   PETSC_ERR_FILE_UNEXPECTED, naming both lengths, where the file's length is not x's. Collective on x. */
PetscErrorCode TwofoldVecLoad(Vec x, const char path[]);

#if defined(__cplusplus)
}
#endif
#endif
