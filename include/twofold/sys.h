#ifndef TWOFOLD_SYS_H
#define TWOFOLD_SYS_H
/**
 * @file
 * Start-up and the small services every layer uses: keyed random numbers, vectors from files, and the
 * constants of a problem with what is known about them.
 */
#include <petscvec.h>
#include <twofold/compat.h>

/** Version of the library, MAJOR.MINOR.PATCH. */
#define TWOFOLD_VERSION "0.1.0"

#if defined(__cplusplus)
extern "C" {
#endif

/**
 * Starts MPI, PETSc and SLEPc where they are not running yet, on all ranks of MPI_COMM_WORLD.
 *
 * Where SLEPc runs already the arguments are ignored, and TwofoldFinalize() leaves it running.
 *
 * @collective
 *
 * @param[in,out] argc    address of main's argc; may be NULL
 * @param[in,out] argv    address of main's argv; may be NULL
 * @param[in]     file    file of options as for PetscInitialize(); NULL for PETSc's usual files
 * @param[in]     help    text that `-help` prints first; may be NULL
 */
PetscErrorCode TwofoldInitialize(int *argc, char ***argv, const char file[], const char help[]);

/**
 * Ends what TwofoldInitialize() started, on all ranks of MPI_COMM_WORLD.
 *
 * PETSc and SLEPc go on if the caller had started them.
 *
 * @collective
 */
PetscErrorCode TwofoldFinalize(void);

/**
 * Gives 64 random bits keyed by (seed, index).
 *
 * The SplitMix64 finaliser: a bijection of the index for a fixed seed, so that keys of different indices
 * never tie. Reference: Steele, Lea, Flood, OOPSLA 2014.
 *
 * @par Not collective
 *
 * @param[in]     seed    key of the sequence
 * @param[in]     index   place in it, any number
 *
 * @return the bits
 */
PetscInt64 TwofoldRandomBits(PetscInt64 seed, PetscInt64 index);

/**
 * Gives a number of a counter-based random sequence, uniform in (0, 1), never an end point.
 *
 * @par Not collective
 *
 * @param[in]     seed   key of the sequence
 * @param[in]     index  place in it
 *
 * @return the number
 */
PetscReal TwofoldRandomUniform(PetscInt64 seed, PetscInt64 index);

/**
 * Gives a standard normal number keyed by (seed, index), by the Box-Muller transform.
 *
 * @par Not collective
 *
 * @param[in]     seed    key of the sequence
 * @param[in]     index   place in it
 *
 * @return a finite number
 */
PetscReal TwofoldRandomNormal(PetscInt64 seed, PetscInt64 index);

/**
 * Fills x with N(0,1) entries keyed by (seed, global index): the same vector on any number of ranks.
 *
 * @logicallycollective
 *
 * @param[out]    x       the vector
 * @param[in]     seed    key of the numbers
 */
PetscErrorCode TwofoldVecSetRandomNormal(Vec x, PetscInt64 seed);

/** How far a constant can be trusted. */
typedef enum {
  TWOFOLD_UNKNOWN,  /**< there is none: the value is NaN */
  TWOFOLD_PROVED,   /**< by a formula of the problem */
  TWOFOLD_COMPUTED, /**< by an eigenvalue or singular value solve at one point */
  TWOFOLD_USER      /**< given by the caller, not checked */
} TwofoldStanding;
/** Names of the standings: "unknown", "proved", "computed", "user"; laid out as for PetscOptionsEnum(). */
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

/**
 * Fills x from a file.
 *
 * The ending of the name tells the format: `.txt` (one number a line, read by byte ranges), `.h5` (HDF5, the
 * data set named as x is), else PETSc binary, `.bin` (one Vec).
 *
 * @collective
 *
 * @param[in,out] x       vector whose layout is set; its entries are replaced
 * @param[in]     path    the file
 *
 * @raises PETSC_ERR_FILE_OPEN there is no such file
 * @raises PETSC_ERR_FILE_UNEXPECTED the file's length is not x's (names both lengths), an entry is not a
 * finite number, or the content is not of the format
 * @raises PETSC_ERR_SUP .h5 with a PETSc that was built without HDF5
 */
PetscErrorCode TwofoldVecLoad(Vec x, const char path[]);

#if defined(__cplusplus)
}
#endif
#endif
